"""``exec``: run an unmodified program in which ``import varlink`` means fastvarlink."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType

from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.dropin import install

USAGE = "usage: varlink exec SCRIPT [ARGUMENT ...]\n       varlink exec -m MODULE [ARGUMENT ...]"


def execute(arguments: list[str]) -> None:
    """Run a script or a module as ``python`` itself would run it, after install().

    Its exit status, and any exception that it does not catch, are passed on. Fails with a sentence
    when there is nothing to run.
    """
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return
    as_module = arguments[:1] == ["-m"]
    program = arguments[1:] if as_module else arguments
    if program[:1] == ["--"] and not as_module:
        program = program[1:]
    if not program:
        fail(f"exec needs a script or -m and a module.\n{USAGE}", MISUSED)
    install()
    sys.argv[:] = program
    if as_module:
        _run_module(program[0])
    else:
        _run_script(program[0])


def _run_module(name: str) -> None:
    # Python looks modules up from the current directory first, and so must the search here.
    _lead_path(os.getcwd())
    spec, code = _find_code(name)
    sys.argv[0] = spec.origin or name
    main = _main_module()
    main.__spec__ = spec
    main.__loader__ = spec.loader
    main.__package__ = spec.parent
    if spec.origin is not None:
        main.__file__ = spec.origin
    exec(code, main.__dict__)


def _find_code(name: str) -> tuple[ModuleSpec, CodeType]:
    """The code that -m NAME runs: the module's own, or its __main__ if it is a package."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name = f"{name}.__main__"
            spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError) as error:
        fail(f"There is no module {name} to run: {error}.")
    if spec is None:
        fail(f"There is no module {name} to run; is it installed for {sys.executable}?")
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(spec.name) if get_code is not None else None
    if code is None:
        fail(f"The module {name} has no Python code to run.")
    return spec, code


def _run_script(path: str) -> None:
    if os.path.isdir(path):
        # A directory with a __main__.py. runpy puts it in front of sys.path itself.
        _lead_path(None)
        runpy.run_path(path, run_name="__main__")
        return
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        fail(f"The script {path} cannot be read: {error.strerror}.", MISUSED)
    if source.startswith(b"PK\x03\x04"):
        # A zip archive with a __main__.py.
        _lead_path(None)
        runpy.run_path(path, run_name="__main__")
        return
    _lead_path(os.path.dirname(os.path.realpath(path)))
    code = compile(source, path, "exec", dont_inherit=True)
    main = _main_module()
    main.__file__ = path
    main.__loader__ = SourceFileLoader("__main__", path)
    main.__dict__["__cached__"] = None
    exec(code, main.__dict__)


def _main_module() -> ModuleType:
    """A fresh __main__, which stays: pickle, multiprocessing and atexit look there."""
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    return main


def _lead_path(directory: str | None) -> None:
    """Put the program's directory where Python puts it, in place of the one put there for us."""
    if sys.flags.safe_path:
        return
    del sys.path[0]
    if directory is not None:
        sys.path.insert(0, directory)
