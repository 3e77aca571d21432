#!/bin/sh
# Makes the virtual environment and installs the project into it.
# Usage: build.sh PYTHON VENV EXTRAS
set -eu

python=$1 venv=$2 extras=$3

# One made by another interpreter, or by one that has gone, is of no use.
wanted=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')
if [ -e "$venv" ]; then
    found=$("$venv/bin/python" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null) ||
        found=
    if [ "$found" != "$wanted" ]; then
        echo "$venv was made by another Python; it is made anew."
        rm -rf "$venv"
    fi
fi
[ -e "$venv" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check ".$extras"
