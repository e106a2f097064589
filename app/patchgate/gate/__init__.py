"""Composition: makes and joins source, snapshot, certificates, clock and server. Nothing else makes them."""
