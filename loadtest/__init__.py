"""Measurements: ratios in one run, with their bars."""
