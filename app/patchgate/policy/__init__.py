"""What patchgate decides, and nothing else.

Pure: the standard library and Structs of msgspec; no clock, no files, no network, no framework. Whatever a decision
needs is an argument, `now` among them, so the same call gives the same verdict in the gate, on the command line and in
a test.
"""
