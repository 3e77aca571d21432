#!/bin/bash
# Runs the tests on a core built with gcc's AddressSanitizer and UndefinedBehaviorSanitizer.
# Usage: sanitize.sh PYTHON VENV PYTEST_ARGUMENT...
# A report of either fails the run, whichever process it comes from; it is kept in build/sanitize/reports.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=$1 venv=$2
shift 2
reports=$PWD/build/sanitize/reports

CC=gcc tools/require.sh "$python"
CC=gcc FASTVARLINK_BUILD=sanitize tools/build.sh "$python" "$venv" "[test]"

# The runtime comes first in each process, as neither Python nor what it loads is linked against it. Python's own
# allocator would hide what is read beyond an object, and Python's own leaks are not ours. Traps and aborts, which
# are undefined behaviour and the core's own checks, are reported whatever handlers a program sets for them.
sanitized() {
    local options=detect_leaks=0:allocator_may_return_null=1:handle_sigill=2:handle_abort=2
    LD_PRELOAD=$(gcc -print-file-name=libasan.so) PYTHONMALLOC=malloc \
        ASAN_OPTIONS=$options:log_path=$reports/report "$@"
}

reported() {
    compgen -G "$reports/*" >/dev/null
}

rm -rf "$reports"
mkdir -p "$reports"
beyond='import ctypes; allocate = ctypes.CDLL(None).malloc; allocate.restype = ctypes.c_void_p
ctypes.string_at(allocate(1), 2)'
if sanitized "$venv/bin/python" -c "$beyond" || ! grep -q heap-buffer-overflow "$reports"/*; then
    echo "A read beyond a block is not reported: the sanitizer does not work here."
    exit 1
fi
rm "$reports"/*

status=0
sanitized "$venv/bin/python" -m pytest "$@" || status=$?
if reported; then
    head -n 60 "$reports"/*
    status=1
fi
exit "$status"
