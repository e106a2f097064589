"""The patcher's ConfigMaps in a cluster: read and written through kube-apiserver, beside whoever else writes them.

The only place of the patcher that knows the Kubernetes client. What is written is decided in `record_books` and
`claims`, which are pure; here it is brought there, and brought again where somebody was quicker.
"""
