"""What patchgate decides, and nothing else.

Pure: standard library only; no clock, no files, no network, no framework. Whatever a decision needs is an argument,
`now` among them, so the same call gives the same verdict in the gate, on the command line and in a test.
"""
