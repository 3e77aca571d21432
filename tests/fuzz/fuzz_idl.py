"""Feeds the reader and the printer of definitions with what a fuzzer makes up. It needs the package atheris.

    python tests/fuzz/fuzz_idl.py -max_total_time=60 tests/fuzz/corpus/idl

The arguments are libFuzzer's: options, folders to begin with, or files with inputs to try once more. What is
found goes into a temporary folder, so that those that are given stay as they are; an input that fails is
written to the current one.
"""

from __future__ import annotations

import atheris
from fuzzing import fuzz

with atheris.instrument_imports(include=["fastvarlink.idl"]):
    from fastvarlink.idl import IdlSyntaxError, parse, to_text


def read_and_print(data: bytes) -> None:
    """Whatever can be read can be printed, says the same then, and is printed the same again."""
    try:
        interface = parse(data)
    except IdlSyntaxError as error:
        for fault in error.faults:
            if not (fault.line >= 1 and 1 <= fault.column <= len(fault.source) + 1 and str(fault)):
                raise AssertionError(f"This fault does not lie in the text: {fault!r}") from None
        return
    text = to_text(interface)
    again = parse(text)
    if again != interface:
        raise AssertionError(f"What was printed says something else:\n{text}")
    if to_text(again) != text:
        raise AssertionError(f"What was printed is printed differently:\n{text}")


if __name__ == "__main__":
    fuzz(read_and_print)
