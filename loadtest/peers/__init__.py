"""What the gate is measured beside."""
