"""The modules in golden/, which are generated from users.varlink, one for each set of options.

Usage: python tests/idl/write_golden.py
writes them anew. What then has changed is to be read before it is committed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastvarlink.idl import generate

GOLDEN = Path(__file__).resolve().parent / "golden"
DEFINITION = GOLDEN / "users.varlink"
VARIANTS: dict[str, dict[str, Any]] = {
    "users.py": {},
    "users_plain.py": {"structs": "typeddict", "enums": "enum"},
}


def generated(variant: str) -> str:
    """The text of one of the modules, as it is generated now."""
    return generate(DEFINITION.read_bytes(), source=DEFINITION.name, **VARIANTS[variant])


if __name__ == "__main__":
    for each in VARIANTS:
        (GOLDEN / each).write_text(generated(each), encoding="utf-8")
