"""The patcher: makes patched, verified images of what the lists name, and the records that the gate admits them by."""
