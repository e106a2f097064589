#!/bin/sh
# Makes the virtual environment VENV for STAGE: `runtime`, what the package needs, from nothing, with the package in it,
# editable; `dev`, the rest on top of it. Pins are by hash, and complete. Says each step before it is taken.
set -eu
venv=$1 stage=$2

install() {
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$@"
}
# --no-deps: the pins are complete, and pip before 23.3 looks past them at the newest release for `coverage[toml]`.

if [ "$stage" = dev ]; then
  echo "Installing what checks and tests need: requirements/dev.txt (once)"
  install --no-deps --require-hashes -r requirements/dev.txt
  exit
fi

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
    echo "Installing Debian's python3-venv (once)"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends python3-venv >/dev/null
  else
    echo "Python's venv module is needed: on Debian, apt-get install python3-venv" >&2
    exit 1
  fi
fi

echo "Making $venv with $("$python" --version) (once)"
"$python" -m venv --clear "$venv"
echo "Installing what patchgate needs: requirements/runtime.txt (once)"
install --no-deps --require-hashes -r requirements/runtime.txt -r requirements/build.txt
install --no-deps --no-build-isolation --editable .
