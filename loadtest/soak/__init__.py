"""Soak: everything at once for a long time; what grows, and what fails."""
