#!/bin/bash
# Fuzzes the core with atheris, built with clang's counters, AddressSanitizer and UndefinedBehaviorSanitizer.
# Usage: fuzz.sh PYTHON VENV SECONDS [TARGET...]
# A target is NAME in tests/fuzz/fuzz_NAME.py; all of them without one. What fails is kept in FOLDER/crash-*,
# where FOLDER is build/fuzz/NAME.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=$1 venv=$2 seconds=$3
shift 3
targets=("$@")
if ((!${#targets[@]})); then
    for file in tests/fuzz/fuzz_*.py; do
        name=${file##*/fuzz_}
        targets+=("${name%.py}")
    done
fi
command -v clang >/dev/null || {
    echo 'Missing: clang. Install with "apt-get install clang libclang-rt-14-dev llvm".'
    exit 1
}

[ -e "$venv" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check 'atheris>=2.3'
CC=clang LDSHARED="clang -shared" FASTVARLINK_BUILD=fuzz \
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --force-reinstall .

# The runtime of the sanitizers and of the fuzzer, which the modules are linked against when they are loaded.
runtime=$("$venv/bin/python" -c 'import atheris; print(atheris.path())')/asan_with_fuzzer.so
for name in "${targets[@]}"; do
    echo "=== $name, $seconds s"
    folder=build/fuzz/$name
    mkdir -p "$folder"
    # Python's own allocator would hide what is read beyond an object, and Python's own leaks are not ours.
    LD_PRELOAD=$runtime PYTHONMALLOC=malloc UBSAN_OPTIONS=print_stacktrace=1 \
        ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
        "$venv/bin/python" "tests/fuzz/fuzz_$name.py" -max_total_time="$seconds" -rss_limit_mb=4096 -timeout=20 \
        -print_final_stats=1 -artifact_prefix="$folder/" "tests/fuzz/corpus/$name"
done
