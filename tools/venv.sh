#!/bin/sh
# Makes the virtual environment from requirements/dev.txt (pinned by hash) with the package in it, editable.
set -eu
venv=$1

for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
  if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "${python:-}" ] || { echo "Python >= 3.11 is needed: install it, or say where it is: make PYTHON=/path/to/python3" >&2; exit 1; }

# Debian keeps venv in a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-venv >/dev/null
  else
    echo "Python's venv module is needed: on Debian, apt-get install python3-venv" >&2
    exit 1
  fi
fi

"$python" -m venv --clear "$venv"
# --no-deps: the pins are complete, and pip before 23.3 looks past them at the newest release for `coverage[toml]`.
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
