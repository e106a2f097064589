"""The status page: what is tracked, patched, late or missing, and whether an image may run, for people.

Views are pure: from a snapshot and `now` to frozen dataclasses of text; templates only lay them out, and escape all of
it, as names, messages and reasons come from strangers. `routes` is the one file that knows HTTP.
"""
