"""Interceptors of clients, blocking and awaited: the same is seen, in the same order."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink import aio
from fastvarlink.error import ConnectionLost, DeadlineExceeded, InvalidParameter, PermissionDenied
from wire.sample import DESCRIPTION, INTERFACE, RunningServer

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


class Diary(fastvarlink.Interceptor):
    """Writes down what it sees."""

    def __init__(self, name: str = "", lines: list[str] | None = None) -> None:
        self.name = name
        self.lines = [] if lines is None else lines

    def call(self, call: fastvarlink.Call) -> Any:
        assert call.context is None
        WHO.set(f"{WHO.get()} {self.name}")
        self.lines.append(f"{self.name}call {call.method.rpartition('.')[2]} {call.parameters}")

    def reply(self, call: fastvarlink.Call, parameters: dict[str, Any], continues: bool) -> None:
        assert WHO.get().startswith("test")
        self.lines.append(f"{self.name}reply {parameters}{' ...' if continues else ''}")

    def failure(self, call: fastvarlink.Call, error: Exception) -> None:
        self.lines.append(f"{self.name}failure {type(error).__name__}")

    def end(self, call: fastvarlink.Call) -> None:
        ending = type(call.error).__name__ if call.error else "well"
        self.lines.append(f"{self.name}end {call.replies} {ending}")


class Does(fastvarlink.Interceptor):
    """Does something to calls."""

    def __init__(self, **what: Callable[..., Any]) -> None:
        self._what = what

    def call(self, call: Any) -> Any:
        return self._what["call"](call) if "call" in self._what else None

    def reply(self, call: Any, parameters: dict[str, Any], continues: bool) -> Any:
        return self._what["reply"](parameters) if "reply" in self._what else None

    def failure(self, call: Any, error: Exception) -> Any:
        return self._what["failure"](error) if "failure" in self._what else None


class Blocking:
    """Calls by the blocking client."""

    def __init__(self, server: RunningServer, *interceptors: fastvarlink.Interceptor) -> None:
        self._client = fastvarlink.Client(server.address, interceptors=interceptors)
        self._client.add_interface(fastvarlink.Interface(DESCRIPTION))
        self._handler = self._client.open(INTERFACE)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(self._handler, method)(*args, **kwargs)

    def stream(self, method: str, *args: Any, most: int = 1000) -> list[Any]:
        replies = []
        with getattr(self._handler, method)(*args, _more=True) as stream:
            for reply in stream:
                replies.append(reply)
                if len(replies) == most:
                    break
        return replies

    def close(self) -> None:
        self._handler.close()


class Pooled(Blocking):
    """Calls by a pool."""

    def __init__(self, server: RunningServer, *interceptors: fastvarlink.Interceptor) -> None:
        self._pool = fastvarlink.Pool(server.address, interceptors=interceptors)
        self._pool.add_interface(fastvarlink.Interface(DESCRIPTION))
        self._handler = self._pool.open(INTERFACE)

    def close(self) -> None:
        self._pool.close()


class Awaited:
    """Calls by the asyncio client."""

    def __init__(self, server: RunningServer, *interceptors: fastvarlink.Interceptor) -> None:
        self._runner = asyncio.Runner()
        self._client = aio.Client(server.address, interceptors=interceptors)
        self._client.add_interface(fastvarlink.Interface(DESCRIPTION))
        self._handler = self._runner.run(self._client.open(INTERFACE))

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        async def main() -> Any:
            return await getattr(self._handler, method)(*args, **kwargs)

        return self._runner.run(main(), context=contextvars.copy_context())

    def stream(self, method: str, *args: Any, most: int = 1000) -> list[Any]:
        async def main() -> list[Any]:
            replies = []
            async with getattr(self._handler, method)(*args, _more=True) as stream:
                async for reply in stream:
                    replies.append(reply)
                    if len(replies) == most:
                        break
            return replies

        return self._runner.run(main(), context=contextvars.copy_context())

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    yield running
    running.stop()


@pytest.fixture(params=[Blocking, Pooled, Awaited])
def connect(request: pytest.FixtureRequest, server: RunningServer) -> Iterator[Callable[..., Any]]:
    """A client of each kind with these interceptors."""
    callers: list[Any] = []

    def start(*interceptors: fastvarlink.Interceptor) -> Any:
        callers.append(request.param(server, *interceptors))
        return callers[-1]

    token = WHO.set("test")
    yield start
    WHO.reset(token)
    for caller in callers:
        caller.close()


def test_what_is_seen(connect: Callable[..., Any], server: RunningServer) -> None:
    diary = Diary()
    caller = connect(diary)
    assert caller.call("Ping", text="x") == {"text": "x"}
    assert [reply["i"] for reply in caller.stream("Count", 2)] == [0, 1]
    assert caller.call("Record", "x", _oneway=True) is None
    with pytest.raises(fastvarlink.VarlinkError, match="Failed"):
        caller.call("Fail", "x", 1)
    assert caller.stream("Endless", 3, most=1)[0]["i"] == 1
    with pytest.raises(InvalidParameter):
        caller.call("Ping", 1)
    assert diary.lines == [
        "call Ping {'text': 'x'}", "reply {'text': 'x'}", "end 1 well",
        "call Count {'n': 2}", "reply {'i': 0} ...", "reply {'i': 1}", "end 2 well",
        "call Record {'text': 'x'}", "end 0 well",
        "call Fail {'reason': 'x', 'code': 1}", "failure Failed", "end 0 Failed",
        "call Endless {'size': 3}", "reply {'i': 1, 'filler': 'xxx'} ...", "end 1 well",
        "call Ping {'text': 1}", "failure InvalidParameter", "end 0 InvalidParameter",
    ]  # fmt: skip
    assert WHO.get() == "test"


def test_what_is_seen_of_a_call_without_reply(connect: Callable[..., Any], server: RunningServer) -> None:
    diary = Diary()
    caller = connect(diary)
    with pytest.raises(DeadlineExceeded):
        caller.call("Hold", "x", _timeout=0.01)
    server.state.gate.set()
    assert diary.lines == ["call Hold {'text': 'x'}", "failure DeadlineExceeded", "end 0 DeadlineExceeded"]


def test_the_order(connect: Callable[..., Any]) -> None:
    lines: list[str] = []
    connect(Diary("outer ", lines), Diary("inner ", lines)).call("Ping", "x")
    assert [" ".join(line.split()[:2]) for line in lines] == [
        "outer call", "inner call", "inner reply", "outer reply", "inner end", "outer end",
    ]  # fmt: skip


def test_calls_are_changed_answered_and_refused(connect: Callable[..., Any]) -> None:
    def act(call: Any) -> Any:
        text = call.parameters["text"]
        if text == "change":
            call.parameters["text"] = "changed"
        elif text == "answer":
            return {"text": "answered"}
        elif text == "refuse":
            raise PermissionDenied()
        elif text == "spoil":
            call.parameters["text"] = 1
        return None

    caller = connect(Does(call=act))
    assert caller.call("Ping", "change") == {"text": "changed"}
    assert caller.call("Ping", "answer") == {"text": "answered"}
    assert caller.stream("Ping", "answer") == [{"text": "answered"}]
    with pytest.raises(PermissionDenied):
        caller.call("Ping", "refuse")
    with pytest.raises(PermissionDenied):
        caller.stream("Ping", "refuse")
    with pytest.raises(InvalidParameter):
        caller.call("Ping", "spoil")
    assert caller.call("Ping", "x") == {"text": "x"}


def test_replies_and_failures_are_changed(connect: Callable[..., Any]) -> None:
    def act(parameters: dict[str, Any]) -> Any:
        if parameters["text"] == "refuse":
            raise PermissionDenied()
        return {"text": 1} if parameters["text"] == "spoil" else {"text": parameters["text"].upper()}

    caller = connect(Does(reply=act, failure=lambda error: RuntimeError(f"not {error}")))
    assert caller.call("Ping", "x") == {"text": "X"}
    for text in ("refuse", "spoil"):
        with pytest.raises(RuntimeError, match="not"):
            caller.call("Ping", text)
    with pytest.raises(RuntimeError, match="Failed"):
        caller.call("Fail", "x", 1)
    assert caller.call("Ping", "y") == {"text": "Y"}


def test_an_end_that_fails_is_logged(connect: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    class Ends(fastvarlink.Interceptor):
        def end(self, call: Any) -> None:
            raise RuntimeError("at the end")

    assert connect(Ends()).call("Ping", "x") == {"text": "x"}
    assert "at the end" in caplog.text


def test_calls_that_are_awaited_may_be_asked_for(server: RunningServer) -> None:
    class Later(Diary):
        async def call(self, call: Any) -> Any:
            await asyncio.sleep(0)
            super().call(call)
            return {"text": "answered"} if call.parameters == {"text": "answer"} else None

    diary = Later()
    token = WHO.set("test")
    caller = Awaited(server, diary, Diary("inner ", diary.lines))
    assert caller.call("Ping", "x") == {"text": "x"}
    assert caller.call("Ping", "answer") == {"text": "answered"}
    assert len(caller.stream("Count", 3)) == 3
    caller.close()
    WHO.reset(token)
    assert diary.lines[:5] == [
        "call Ping {'text': 'x'}", "inner call Ping {'text': 'x'}",
        "inner reply {'text': 'x'}", "reply {'text': 'x'}", "inner end 1 well",
    ]  # fmt: skip
    with pytest.raises(TypeError, match=r"only aio\.Client awaits"):
        fastvarlink.Client(server.address, interceptors=[diary])


def test_a_call_that_is_cancelled(server: RunningServer) -> None:
    diary = Diary()

    async def main() -> None:
        async with aio.Client(server.address, interceptors=[diary]) as client:
            client.add_interface(fastvarlink.Interface(DESCRIPTION))
            handler = await client.open(INTERFACE)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await handler.Hold("x")

    asyncio.run(main())
    server.state.gate.set()
    assert diary.lines == ["call Hold {'text': 'x'}", "end 0 ConnectionLost"]


def test_pipelines(server: RunningServer) -> None:
    diary = Diary()
    WHO.set("test")
    refuse = Does(call=lambda call: {"text": "answered"} if call.parameters == {"text": "answer"} else None)
    client = fastvarlink.Client(server.address, interceptors=[diary, refuse])
    client.add_interface(fastvarlink.Interface(DESCRIPTION))
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [
            handler.Ping("x"),
            handler.Fail("x", 1),
            handler.Ping("answer"),
            handler.Record("x", _oneway=True),
        ]
        counted = handler.Count(2, _more=True)
    assert replies[0].result() == {"text": "x"}
    with pytest.raises(fastvarlink.VarlinkError, match="Failed"):
        replies[1].result()
    assert replies[2].result() == {"text": "answered"}
    assert replies[3].result() is None
    assert counted.result() == [{"i": 0}, {"i": 1}]
    assert sorted(line for line in diary.lines if line.startswith("end")) == [
        "end 0 Failed", "end 0 well", "end 1 well", "end 1 well", "end 2 well",
    ]  # fmt: skip
    left: list[Any] = []
    with pytest.raises(RuntimeError, match="on purpose"):
        _leave_by_an_exception(client, left)
    with pytest.raises(ConnectionLost):
        left[0].result()
    assert diary.lines[-1] == "end 0 ConnectionLost"


def _leave_by_an_exception(client: fastvarlink.Client, pending: list[Any]) -> None:
    with client.pipeline() as pipeline:
        pending.append(pipeline.open(INTERFACE).Ping("never sent"))
        raise RuntimeError("on purpose")


def test_typed_clients(server: RunningServer) -> None:
    plans = fastvarlink.Definition(DESCRIPTION)

    class Typed(fastvarlink.TypedClient, definition=plans):
        def Ping(self, text: str) -> Any:
            return self._invoke("Ping", (text,), False, False)

    diary = Diary()
    WHO.set("test")
    with fastvarlink.Client(server.address, interceptors=[diary]) as client, client.open(Typed) as handler:
        assert handler.Ping("x") == {"text": "x"}
    assert len(diary.lines) == 3
