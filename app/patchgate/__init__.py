"""patchgate keeps unpatched container images out of a Kubernetes cluster.

Layers, each importing only from those below it (checked by import-linter):
cli > gate > server > sources > pki > configmaps > policy > metrics, validation > limits, errors.
"""
