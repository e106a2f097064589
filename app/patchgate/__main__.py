"""``python -m patchgate`` is the command ``patchgate``."""

from patchgate.cli import run

if __name__ == "__main__":
    run()
