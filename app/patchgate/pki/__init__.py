"""Certificates: makes and stores a CA and leaves (RFC 5280). Serves nothing, and asks no clock of its own."""
