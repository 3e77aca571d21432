#!/bin/sh
# Makes the virtual environment and installs the project into it, unless that is what is there already.
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

# All that has a say in what is installed, as it is before that begins.
sources=$(
    printf '%s\n' "$wanted"
    env | grep -E '^(FASTVARLINK_BUILD|CC|CXX|CPP|AR|ARFLAGS|C[A-Z]*FLAGS|LD[A-Z]+|CYTHON_[A-Z_]+)=' | LC_ALL=C sort
    find pyproject.toml setup.py README.md LICENSE src cext -type f \
        ! -name '*.py[co]' ! -name '*.so' ! -path '*.egg-info/*' -exec sha256sum {} + | LC_ALL=C sort
)

# A digest of that and of pip's list of what it has installed, which differs after an installation by hand.
state() {
    { printf '%s\n' "$sources" && cat "$venv"/lib/python*/site-packages/fastvarlink-*.dist-info/RECORD; } \
        2>/dev/null | sha256sum | cut -d ' ' -f 1
}

# One line: the digest after the last installation, and the extras that were installed of these sources.
kept=$venv/installed
names=$(printf '%s' "$extras" | tr '[,]' '   ')
digest='' had=''
[ ! -e "$kept" ] || read -r digest had <"$kept" || true
if [ "$digest" = "$(state)" ]; then
    lacking=
    for name in $names; do
        case " $had " in *" $name "*) ;; *) lacking=$name ;; esac
    done
    [ "$lacking" ] || exit 0
else
    had=
fi
rm -f "$kept"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check ".$extras"
echo "$(state) $had $names" >"$kept"
