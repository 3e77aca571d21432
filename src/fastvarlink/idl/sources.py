"""The documentation that Python source has: docstrings, and the comments that stand above names."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from functools import lru_cache
from types import FunctionType
from typing import Any

__all__ = ["class_doc", "comments_of", "function_doc"]


def class_doc(cls: type[Any]) -> str:
    """The docstring of a class, "" without one of its own."""
    doc = vars(cls).get("__doc__")
    # A dataclass without a docstring gets its signature.
    return _clean(doc) if doc and not doc.startswith(f"{cls.__name__}(") else ""


def function_doc(function: Any) -> str:
    """The docstring of a function."""
    return _clean(function.__doc__ or "")


def _clean(doc: str) -> str:
    return "\n".join(line.rstrip() for line in inspect.cleandoc(doc).splitlines())


def comments_of(of: type[Any] | FunctionType) -> dict[str, str]:
    """What is written about the attributes of a class or the parameters of a function, by their names.

    That is the comment lines directly above, or the string below an attribute. Empty if the source cannot be
    had.
    """
    found: dict[str, str] = {}
    for base in reversed(inspect.getmro(of)) if isinstance(of, type) else (of,):
        lines, nodes = _source(base.__module__)
        node = nodes.get(base.__qualname__)
        if isinstance(node, ast.ClassDef):
            found.update(_attributes(node, lines))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            for argument in arguments:
                found[argument.arg] = _above(argument, lines)
    return {name: text for name, text in found.items() if text}


def _attributes(node: ast.ClassDef, lines: list[str]) -> dict[str, str]:
    found = {}
    for index, statement in enumerate(node.body):
        target: ast.expr
        if isinstance(statement, ast.AnnAssign):
            target = statement.target
        elif isinstance(statement, ast.Assign):
            target = statement.targets[0]
        else:
            continue
        if not isinstance(target, ast.Name):
            continue
        below = node.body[index + 1] if index + 1 < len(node.body) else None
        if (
            isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[target.id] = _clean(below.value.value)
        else:
            found[target.id] = _above(statement, lines)
    return found


def _above(node: ast.stmt | ast.arg, lines: list[str]) -> str:
    """The comment lines directly above a node that begins its line."""
    at = node.lineno - 1
    if not lines[at].encode()[: node.col_offset].isspace() and node.col_offset:
        return ""
    comments: list[str] = []
    while at > 0 and (line := lines[at - 1].strip()).startswith("#"):
        comments.insert(0, line.removeprefix("#").removeprefix(":").removeprefix(" "))
        at -= 1
    return "\n".join(comments)


@lru_cache(maxsize=64)
def _source(module: str) -> tuple[list[str], dict[str, ast.AST]]:
    """The lines of a module, and its classes and functions by their qualified names."""
    file = getattr(sys.modules.get(module), "__file__", None)
    lines = linecache.getlines(file) if file else []
    nodes: dict[str, ast.AST] = {}
    try:
        parsed = ast.parse("".join(lines))
    except SyntaxError:
        return [], {}
    _collect(parsed, "", nodes)
    return lines, nodes


def _collect(node: ast.AST, prefix: str, nodes: dict[str, ast.AST]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            nodes.setdefault(prefix + child.name, child)
            _collect(child, f"{prefix}{child.name}.", nodes)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes.setdefault(prefix + child.name, child)
            _collect(child, f"{prefix}{child.name}.<locals>.", nodes)
        else:
            _collect(child, prefix, nodes)
