"""The command line: one file a command. The only place that prints for people, and the only one that exits."""

from patchgate.cli.main import run

__all__ = ["run"]
