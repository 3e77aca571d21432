"""The services that the words of a command line name: MODULE:SERVICE, FILE.py:SERVICE, or an interface."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Sequence
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Any

import fastvarlink
from fastvarlink.service import Service
from fastvarlink.service.declaration import definition_of

if TYPE_CHECKING:
    from importlib.metadata import Distribution

__all__ = ["GROUP", "CannotLoad", "lead_path", "load_services"]

#: The entry points that offer interfaces: each has the interface's name.
GROUP = "fastvarlink.services"

# What stands between the program and its fault.
_PASSED = tuple(os.path.dirname(str(package.__file__)) for package in (fastvarlink, importlib))


class CannotLoad(Exception):
    """There is nothing to serve: says why, in a sentence. ``cause`` is what the program itself has raised."""

    def __init__(self, sentence: str, cause: BaseException | None = None) -> None:
        super().__init__(sentence)
        self.cause = cause


def lead_path(directory: str) -> None:
    """Have modules be looked for in a directory first."""
    if directory not in sys.path:
        sys.path.insert(0, directory)


def load_services(words: Sequence[str]) -> Service:
    """The one Service of all that the words name. CannotLoad if there is none.

    What declares an interface joins the Service that is named beside it, or goes into one of its own.
    """
    service: Service | None = None
    declared: list[tuple[str, Any]] = []
    product = version = ""
    for word in words:
        named, offered = _named(word)
        if isinstance(offered, Service):
            if service is not None:
                raise CannotLoad(
                    f"{word} is a Service, and so is another one that is named: who may call and what stands "
                    f"around the calls is each one's own affair. Serve them by a command each."
                )
            service = offered
        else:
            declared.append((word, offered))
        if named is not None:
            product, version = named.name, named.version
    if service is None:
        service = Service(product=product, version=version)
    for word, offered in declared:
        _offer(service, word, offered)
    return service


def _offer(service: Service, word: str, offered: Any) -> None:
    definition = definition_of(offered)
    assert definition is not None
    if definition.interface.name in service.interfaces:
        raise CannotLoad(f"{word} offers {definition.interface.name}, which is served already.")
    try:
        service.interface(offered)
    except Exception as error:
        raise _failed(f"{word} cannot be served", error) from error


def _named(word: str) -> tuple[Distribution | None, Any]:
    """What a word names, and the distribution that it is from, if that is known."""
    where, colon, path = word.rpartition(":")
    if not colon:
        return _entry(word)
    if not where or not path:
        raise CannotLoad(f"{word!r} is not whole: write MODULE:SERVICE, FILE.py:SERVICE or an interface.")
    module = _file(where) if where.endswith(".py") else _module(where)
    found: Any = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise CannotLoad(f"{where} has no {path!r}.{_hint(where, module, path)}") from None
        except Exception as error:
            raise _failed(f"{word} cannot be had", error) from error
    return None, _made(word, found)


def _hint(where: str, module: ModuleType, missing: str) -> str:
    """What there is instead."""
    offered = [name for name, value in vars(module).items() if isinstance(value, Service)]
    offered = offered or get_close_matches(missing, [name for name in vars(module) if name[:1] != "_"], 1)
    return f" It has {' and '.join(f'{where}:{name}' for name in offered)}." if offered else ""


def _made(word: str, found: Any) -> Any:
    """The Service, or what declares an interface, that was found or that is made by what was found."""
    if _is_offer(found):
        return found
    if not callable(found):
        raise CannotLoad(
            f"{word} is no Service, nor does it make one or declare an interface: it is of the type "
            f"{type(found).__name__}."
        )
    try:
        made = found()
    except (Exception, SystemExit) as error:
        raise _failed(f"{word} was called for a Service, and has failed", error) from error
    if not _is_offer(made):
        raise CannotLoad(
            f"{word} was called for a Service, and has returned {type(made).__name__}: that is none, "
            f"and declares no interface."
        )
    return made


def _is_offer(found: Any) -> bool:
    return isinstance(found, Service) or definition_of(found) is not None


def _entry(interface: str) -> tuple[Distribution | None, Any]:
    """What is installed under the name of an interface."""
    # It takes longer to import than all else here.
    from importlib.metadata import entry_points

    entries = entry_points(group=GROUP)
    chosen = [entry for entry in entries if entry.name == interface]
    if not chosen:
        there = ", ".join(sorted({entry.name for entry in entries}))
        raise CannotLoad(
            f"Nothing that is installed offers {interface!r} (as an entry point in the group {GROUP}). "
            + (f"What is offered: {there}." if there else "Nothing else is offered, either.")
            + " A service in a module is MODULE:SERVICE, one in a file FILE.py:SERVICE."
        )
    if len({entry.value for entry in chosen}) > 1:
        values = " and ".join(sorted({entry.value for entry in chosen}))
        raise CannotLoad(f"{interface} is offered more than once, by {values}: name the one to be served.")
    (entry, *_) = chosen
    try:
        found = entry.load()
    except (Exception, SystemExit) as error:
        raise _failed(f"{entry.value}, which offers {interface}, cannot be loaded", error) from error
    return entry.dist, _made(entry.value, found)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise CannotLoad(
                f"There is no module {error.name}, neither in {os.getcwd()} nor installed for "
                f"{sys.executable}.",
                error,
            ) from error
        raise _failed(f"The module {name} cannot be imported", error) from error


def _file(path: str) -> ModuleType:
    """A file as a module, with what lies beside it importable, as if Python ran it."""
    whole = os.path.abspath(path)
    lead_path(os.path.dirname(whole))
    name = os.path.basename(path).removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, whole)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, FileNotFoundError) and error.filename == whole:
            raise CannotLoad(f"There is no file {path!r}.", error) from error
        raise _failed(f"{path} cannot be loaded", error) from error
    return module


def _failed(what: str, error: BaseException) -> CannotLoad:
    """Says what has failed, and where: in the program, if possible, not in what the program uses."""
    reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SystemExit):
        reason = f"it ends the program ({reason})"
    if isinstance(error, SyntaxError) and error.filename:
        file, line, reason = error.filename, error.lineno, f"{type(error).__name__}: {error.msg}"
    else:
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if not frame.filename.startswith("<")
            and not any(_is_below(frame.filename, ours) for ours in _PASSED)
        ]
        own = [frame for frame in frames if _is_below(frame.filename, os.getcwd())]
        if not frames:
            return CannotLoad(f"{what}: {reason}", error)
        file, line = (own or frames)[-1].filename, (own or frames)[-1].lineno
    if _is_below(file, os.getcwd()):
        file = os.path.relpath(file)
    return CannotLoad(f"{what}: {file}, line {line}: {reason.rstrip('.')}.", error)


def _is_below(file: str, directory: str) -> bool:
    return os.path.abspath(file).startswith(directory.rstrip("/") + "/")
