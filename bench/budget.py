"""Where the instructions of a call go, by module of the core.

    python bench/budget.py PROFILE [CALLS]

PROFILE is one that bench/count.py --keep has left. What a module has Python and the C library do counts as
its own, but for what group_of() names. CALLS is how many calls the profile is of: 3072, those of a long run,
if not given.
"""

import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

CORE = re.compile(r"/_core/(\w+)\.")
SYSTEM = re.compile(r"^(recv|send|recvmsg|sendmsg|epoll_wait|epoll_pwait2?|poll)\b")
LOCK = re.compile(r"^(PyEval_(Save|Restore|Acquire|Release)Thread|PyGILState_\w+)")
PYTHON = re.compile(
    r"^(PyObject_(Vectorcall|Call)|_PyObject_(Call|MakeTpCall)|_PyFunction_Vectorcall|method_vectorcall"
    r"|PyIter_Next|PyIter_Send)"
)


@dataclass
class Function:
    """One function of the profile."""

    name: str = ""
    module: str | None = None  # of the core
    library: str = ""
    own: int = 0
    calls: list[tuple[str, int]] = field(default_factory=list)  # of other functions, with what they took


def read(lines: list[str]) -> dict[str, Function]:
    """Return the functions of a profile in callgrind's format."""
    names: dict[tuple[str, str], str] = {}
    functions: dict[str, Function] = defaultdict(Function)
    library = called_library = current = called = ""
    costs_of_call = False

    def resolve(kind: str, text: str) -> str:
        number, _, name = text.partition(" ")
        if name:
            names[kind, number] = name
        return names.get((kind, number), text)

    for line in lines:
        key, equals, text = line.partition("=")
        if equals and key == "ob":
            library = called_library = resolve("ob", text)
        elif equals and key == "cob":
            called_library = resolve("ob", text)
        elif equals and key in {"fn", "cfn"}:
            name = resolve("fn", text)
            where = library if key == "fn" else called_library
            identity = f"{where}:{name}"
            module = CORE.search(where)
            function = functions[identity]
            function.name, function.library = name, where
            function.module = module[1] if module else None
            if key == "fn":
                current = identity
            else:
                called = identity
                called_library = library
        elif equals and key == "calls":
            costs_of_call = True
        elif line[:1].isdigit() or line[:1] in {"+", "-", "*"}:
            cost = int(line.split()[-1])
            if costs_of_call:
                functions[current].calls.append((called, cost))
                costs_of_call = False
            else:
                functions[current].own += cost
    return functions


def group_of(function: Function) -> str | None:
    """Return what a function outside the core counts as when the core calls it; None if as the caller's."""
    # The core calls nothing but orjson in this way.
    if function.name == "PyObject_CallOneArg" or "orjson" in function.library:
        return "orjson"
    if SYSTEM.match(function.name):
        return "around system calls"
    if LOCK.match(function.name):
        return "the interpreter's lock"
    if PYTHON.match(function.name):
        return "Python functions"
    return None


def main() -> None:
    """Print instructions per call by group."""
    functions = read(Path(sys.argv[1]).read_text("utf-8").splitlines())
    calls = int(sys.argv[2]) if len(sys.argv) > 2 else 3072
    groups: dict[str, int] = defaultdict(int)
    for function in functions.values():
        if function.module is None:
            continue
        groups[function.module] += function.own
        for called, cost in function.calls:
            callee = functions[called]
            if callee.module is None:
                groups[group_of(callee) or function.module] += cost
    total = sum(function.own for function in functions.values())
    groups["outside the core"] = total - sum(groups.values())
    for name, cost in sorted(groups.items(), key=lambda group: -group[1]):
        print(f"{name:24}{cost / calls:10,.0f}{cost / total:8.1%}")
    print(f"{'all':24}{total / calls:10,.0f}")


if __name__ == "__main__":
    main()
