"""Reads and writes the ConfigMaps of the contract (docs/data.md): the one place that knows their names and fields.

Each reader gives what is good and a list of what is not. YAML and JSON end here; what comes out are the values of
`policy`. Trust is by name: only the ConfigMaps that `Names` gives can approve or except; a label adds lists alone.
"""
