"""Figures of the documents that are quoted from the results."""
