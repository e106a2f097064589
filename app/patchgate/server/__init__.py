"""The gate's doors over HTTP. They answer from memory: a snapshot, a clock and a scope are all they are given."""
