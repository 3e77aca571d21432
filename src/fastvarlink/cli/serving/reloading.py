"""--reload: a service is loaded anew when a file changes that it was loaded from.

Its worker watches the files, and has the supervisor replace it, as SIGHUP does: the sockets stay open, and no
call is lost. A new worker that cannot load the service waits for the next change, while the one before goes
on. So the supervisor never imports what is served, and each worker begins with nothing of it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from fastvarlink.cli.serving.loading import CannotLoad
from fastvarlink.cli.serving.program import say
from fastvarlink.service import Service

__all__ = ["reloading"]

# Seconds between two looks at the files. One costs about a microsecond for each.
INTERVAL = 0.2

# What tells that a file is another one, or has been written; None for one that is not there.
_State = tuple[int, int, int] | None


def reloading(load: Callable[[], Service]) -> Callable[[], Service]:
    """What a worker calls for the service in the place of ``load``, which may raise CannotLoad.

    To be called by the process that will be its supervisor.
    """
    supervisor = os.getpid()

    def replace_when_changed(read: FilesRead) -> None:
        changed = read.wait_for_change(supervised)
        if changed is not None:
            say(f"{changed} has changed: loading anew.")
            os.kill(supervisor, signal.SIGHUP)

    def supervised() -> bool:
        # A process that was left alone has another parent.
        return os.getppid() == supervisor

    def load_and_watch() -> Service:
        read = FilesRead(os.getcwd())
        sys.addaudithook(read.notice)
        # A file that is written twice in a second may fit what was compiled of it the first time.
        sys.dont_write_bytecode = True
        importlib.invalidate_caches()
        try:
            service = load()
        except CannotLoad as failure:
            say(str(failure))
            if isinstance(failure.cause, ModuleNotFoundError) and failure.cause.name:
                read.expect_module(failure.cause.name)
            replace_when_changed(read)
            while supervised():
                # Until the supervisor ends it.
                time.sleep(INTERVAL)
            raise
        threading.Thread(
            target=replace_when_changed, args=(read,), name="fastvarlink reload", daemon=True
        ).start()
        return service

    return load_and_watch


class FilesRead:
    """The modules and definitions below a directory that the process has read since notice() is a hook.

    How each was when it was opened is kept: whatever changes later is seen, however early.
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") + "/"
        self._files: dict[str, _State] = {}

    def notice(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The audit hook."""
        if event == "open" and isinstance(arguments[0], str) and arguments[1] in ("r", "rb"):
            self._add(arguments[0])

    def expect_module(self, name: str) -> None:
        """A module is missing: it will be where modules are looked for."""
        for directory in sys.path:
            path = os.path.join(directory, *name.split("."))
            self._add(f"{path}.py")
            self._add(f"{path}/__init__.py")

    def wait_for_change(self, going_on: Callable[[], bool]) -> str | None:
        """Wait until a file has changed, and nothing is being written any more: its name.

        None as soon as going_on() is false.
        """
        while (changed := self._changed()) is None:
            time.sleep(INTERVAL)
            if not going_on():
                return None
        before = None
        while before != (before := [_state(path) for path in list(self._files)]):
            time.sleep(INTERVAL / 4)
        return os.path.relpath(changed, self._root)

    def _changed(self) -> str | None:
        return next((path for path, state in list(self._files.items()) if _state(path) != state), None)

    def _add(self, path: str) -> None:
        path = os.path.abspath(path)
        if path.endswith(".pyc"):
            try:
                path = importlib.util.source_from_cache(path)
            except ValueError:
                return
        if (
            path.endswith((".py", ".varlink"))
            and path.startswith(self._root)
            and "/site-packages/" not in path
            and path not in self._files
        ):
            self._files[path] = _state(path)


def _state(path: str) -> _State:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
