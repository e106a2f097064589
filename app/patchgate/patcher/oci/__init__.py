"""Registries over HTTP (OCI distribution specification 1.1): hosts, credentials, retries, and what is asked of them."""
