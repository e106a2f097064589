"""Certificates in a cluster: a Secret, the caBundles that must go with it, and the look that keeps both in step."""
