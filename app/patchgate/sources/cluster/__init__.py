"""The ConfigMaps of one namespace of a cluster.

Names and versions are followed all the time (contents are not); a ConfigMap is fetched when its version changed, handed
over, and not kept (docs/adr/0011-cluster-watch.md).
"""
