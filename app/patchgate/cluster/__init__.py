"""The way to kube-apiserver, for whoever needs it: a client, its pace, its answers, and what to say when it fails.

Knows nothing of what is asked for. Together with those who ask, the only place that knows the Kubernetes client.
"""
