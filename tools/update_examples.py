"""Writes what is generated in examples/: the definition of tasks.py, and the module made from it.

Usage: python tools/update_examples.py [--check]
With --check nothing is written; exit status 1 if something is not up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fastvarlink.idl import generate
from fastvarlink.service.declaration import definition_of

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def main() -> int:
    sys.path.insert(0, str(EXAMPLES))
    from tasks import Tasks  # noqa: PLC0415  # only now can it be found

    definition = definition_of(Tasks)
    assert definition is not None
    text = definition.interface.description
    made = {
        EXAMPLES / "org.example.tasks.varlink": text,
        EXAMPLES / "tasks_interface.py": generate(text, source="org.example.tasks.varlink"),
    }
    stale = [path for path, wanted in made.items() if not path.exists() or path.read_text() != wanted]
    for path in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path.name} is not up to date: run python tools/update_examples.py.")
        else:
            path.write_text(made[path])
    return int(bool(stale) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
