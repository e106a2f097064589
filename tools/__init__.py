"""Programs that are not Python: pinned, a Go module each, built from source once. Standard library only."""
