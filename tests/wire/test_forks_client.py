"""A connection of our client, in a process that was forked (rule S9)."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from .conftest import Caller, blocking_client_only
from .rawstream import RawStream, frame

CallAt = Callable[..., Caller]


@pytest.mark.rule("S9")
@blocking_client_only
@pytest.mark.parametrize("way", ["call", "close", "forget"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_fork_leaves_the_connection_to_its_parent(call_at: CallAt, way: str) -> None:
    def script(stream: RawStream) -> None:
        for _ in range(2):
            stream.read_frame()
            stream.send(frame({"parameters": {"text": "y"}}))

    caller = call_at(script)
    assert caller.handler.Ping("x") == {"text": "y"}
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if way == "call":
                caller.handler.Ping("x")
            elif way == "close":
                caller.handler.close()
                status = 0
            else:
                del caller.handler, caller.client
                status = 0
        except RuntimeError as failure:
            status = 0 if "belongs to the process" in str(failure) else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert caller.handler.Ping("x") == {"text": "y"}
