#!/bin/sh
# Checks what the build needs before it begins. The first line printed names what is missing and
# the command that installs it.
# Usage: require.sh PYTHON
set -u

python=${1:-python3}

missing() {
    printf 'Missing: %s. Install with "%s".\n' "$1" "$2"
    exit 1
}

# The Debian package of a chosen interpreter has its name: python3.12-dev for python3.12.
case ${python##*/} in
    python3 | python3.[0-9] | python3.[0-9][0-9]) package=${python##*/} ;;
    *) package=python3 ;;
esac

command -v "$python" >/dev/null 2>&1 ||
    missing "the Python interpreter $python" "apt-get install $package"

# A version manager's stub can exist for a Python that does not.
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    missing "a Python that runs as $python" "apt-get install $package"

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    missing "Python 3.11 or later ($python is $version)" "apt-get install python3"

"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    missing "Python's module venv" "apt-get install $package-venv"

# Compiles with what Python's own build used, unless CC says otherwise, as setuptools does.
compiler=${CC:-$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("CC") or "cc")')}
compiler=${compiler%% *}
command -v "$compiler" >/dev/null 2>&1 ||
    missing "the C compiler $compiler" "apt-get install gcc libc6-dev"

compiles() {
    printf '%s\nint main(void) { return 0; }\n' "$1" |
        "$compiler" -I"$headers" -x c -fsyntax-only - >/dev/null 2>&1
}

headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
compiles '#include <stdio.h>' || missing "the C library's headers" "apt-get install libc6-dev"
compiles '#include <Python.h>' || missing "Python's headers (Python.h)" "apt-get install $package-dev"
