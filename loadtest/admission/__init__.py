"""Pods created through kube-apiserver: what a webhook adds."""
