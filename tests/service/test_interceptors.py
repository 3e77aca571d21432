"""Interceptors of a service, over every way to serve."""

from __future__ import annotations

import asyncio
import contextvars
import io
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import (
    ExpectedMore,
    InvalidParameter,
    MethodNotFound,
    PermissionDenied,
    VarlinkError,
)
from wire.drivers import DRIVERS, in_loop
from wire.rawstream import PATIENCE
from wire.sample import INTERFACE, RunningServer

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))

from access_log import AccessLog
from allow_list import AllowList

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@pytest.fixture(params=DRIVERS)
def serve(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A handler of the sample interface at a service with these interceptors."""
    running: list[Any] = []

    def start(*interceptors: fastvarlink.Interceptor, **options: Any) -> Any:
        server = RunningServer(tmp_path, driver=request.param, interceptors=interceptors, **options)
        running.append(server)
        client = fastvarlink.Client(server.address)
        running.append(client.open(INTERFACE))
        running[-1].server = server
        return running[-1]

    yield start
    for each in reversed(running):
        each.stop() if isinstance(each, RunningServer) else each.close()


class Diary(fastvarlink.Interceptor):
    """Writes down what it sees of calls of the sample interface."""

    def __init__(self, name: str = "", lines: list[str] | None = None) -> None:
        self.name = name
        self.lines = [] if lines is None else lines
        self.over = threading.Semaphore(0)

    def _write(self, call: fastvarlink.Call, line: str) -> None:
        if call.method.startswith(INTERFACE):
            self.lines.append(f"{self.name}{line}")

    def call(self, call: fastvarlink.Call) -> Any:
        self._write(call, f"call {call.method.rpartition('.')[2]} {call.parameters}")

    def reply(self, call: fastvarlink.Call, parameters: dict[str, Any], continues: bool) -> None:
        self._write(call, f"reply {parameters}{' ...' if continues else ''}")

    def failure(self, call: fastvarlink.Call, error: Exception) -> None:
        self._write(call, f"failure {type(error).__name__}")

    def end(self, call: fastvarlink.Call) -> None:
        self._write(call, f"end {call.replies} {type(call.error).__name__ if call.error else 'well'}")
        if call.method.startswith(INTERFACE):
            self.over.release()

    def wait(self) -> None:
        assert self.over.acquire(timeout=PATIENCE)


class Waiting(Diary):
    """The same, and call() has to wait."""

    async def call(self, call: fastvarlink.Call) -> Any:
        await asyncio.sleep(0)
        super().call(call)


@pytest.fixture(params=[Diary, Waiting])
def diary(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_what_is_seen_of_a_call(serve: Callable[..., Any], diary: Any) -> None:
    handler = serve(diary)
    assert handler.Ping("x") == {"text": "x"}
    diary.wait()
    assert diary.lines == ["call Ping {'text': 'x'}", "reply {'text': 'x'}", "end 1 well"]


def test_what_is_seen_of_a_stream(serve: Callable[..., Any], diary: Any) -> None:
    handler = serve(diary)
    assert [reply["i"] for reply in handler.Count(3, _more=True)] == [0, 1, 2]
    diary.wait()
    assert diary.lines == [
        "call Count {'n': 3}", "reply {'i': 0} ...", "reply {'i': 1} ...", "reply {'i': 2}", "end 3 well",
    ]  # fmt: skip


def test_what_is_seen_of_failures(serve: Callable[..., Any], diary: Any) -> None:
    handler = serve(diary)
    with pytest.raises(handler.Failed):
        handler.Fail("x", 1)
    with pytest.raises(VarlinkError, match="InternalError"):
        handler.Crash()
    with pytest.raises(ExpectedMore):
        handler.Count(3)
    with pytest.raises(handler.Failed):
        list(handler.CountAndFail(_more=True))
    for _ in range(4):
        diary.wait()
    assert diary.lines == [
        "call Fail {'reason': 'x', 'code': 1}", "failure Failed", "end 0 Failed",
        "call Crash {}", "failure RuntimeError", "end 0 RuntimeError",
        "call Count {'n': 3}", "failure ExpectedMore", "end 0 ExpectedMore",
        "call CountAndFail {}", "reply {'i': 0} ...", "failure Failed", "end 1 Failed",
    ]  # fmt: skip


def test_what_is_seen_of_calls_that_cannot_be_made(serve: Callable[..., Any], diary: Any) -> None:
    handler = serve(diary)
    with socket.socket(socket.AF_UNIX) as stream:
        stream.connect(handler.server.address.removeprefix("unix:"))
        for method, parameters in ((f"{INTERFACE}.Missing", {}), (f"{INTERFACE}.Ping", {"text": 1})):
            stream.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
            assert b"error" in stream.recv(1000)
            diary.wait()
    assert diary.lines == [
        "call Missing {}", "failure MethodNotFound", "end 0 MethodNotFound",
        "call Ping {'text': 1}", "failure InvalidParameter", "end 0 InvalidParameter",
    ]  # fmt: skip


def test_a_oneway_call_has_no_reply(serve: Callable[..., Any], diary: Any) -> None:
    handler = serve(diary)
    handler.Record("x", _oneway=True)
    diary.wait()
    assert handler.server.state.recorded == ["x"]
    assert diary.lines == ["call Record {'text': 'x'}", "end 0 well"]


def test_a_client_that_goes(serve: Callable[..., Any], diary: Any) -> None:
    handler = serve(diary)
    with handler.Endless(10, _more=True) as replies:
        next(replies)
    diary.wait()
    assert diary.lines[-1].endswith("ConnectionLost")


def test_the_order(serve: Callable[..., Any]) -> None:
    lines: list[str] = []
    handler = serve(Diary("outer ", lines), Waiting("middle ", lines), inner := Diary("inner ", lines))
    handler.Ping("x")
    with pytest.raises(handler.Failed):
        handler.Fail("x", 1)
    inner.wait()
    inner.wait()
    handler.Ping("again")
    assert [line.partition(" ")[0] for line in lines[:9]] == ["outer", "middle", "inner"] + [
        "inner", "middle", "outer"
    ] * 2  # fmt: skip


class Does(fastvarlink.Interceptor):
    """Does something to calls of Ping."""

    def __init__(self, **what: Callable[..., Any]) -> None:
        self._what = what

    def _do(self, name: str, call: Any, *arguments: Any) -> Any:
        if name in self._what and call.method == f"{INTERFACE}.Ping":
            return self._what[name](call, *arguments)
        return None

    def call(self, call: Any) -> Any:
        return self._do("call", call)

    def reply(self, call: Any, parameters: dict[str, Any], continues: bool) -> Any:
        return self._do("reply", call, parameters)

    def failure(self, call: Any, error: Exception) -> Any:
        return self._do("failure", call, error)

    def end(self, call: Any) -> None:
        self._do("end", call)


def test_a_call_is_refused(serve: Callable[..., Any]) -> None:
    def refuse(_: Any) -> None:
        raise PermissionDenied()

    lines: list[str] = []
    handler = serve(outer := Diary("outer ", lines), Does(call=refuse), Diary("inner ", lines))
    with pytest.raises(PermissionDenied):
        handler.Ping("x")
    outer.wait()
    assert [line.split()[:2] for line in lines] == [
        ["outer", "call"], ["outer", "failure"], ["outer", "end"],
    ]  # fmt: skip
    assert handler.Items([]) == {"items": []}


def test_a_call_is_answered(serve: Callable[..., Any]) -> None:
    async def later(call: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"text": f"not {call.parameters['text']}"}

    handler = serve(Does(call=later))
    assert handler.Ping("x") == {"text": "not x"}
    assert handler.Items([]) == {"items": []}


def test_an_answer_that_does_not_fit(serve: Callable[..., Any]) -> None:
    handler = serve(Does(call=lambda _: {"text": 1}))
    with pytest.raises(VarlinkError, match="InternalError"):
        handler.Ping("x")


def test_parameters_are_changed(serve: Callable[..., Any]) -> None:
    def change(call: Any) -> None:
        call.parameters = {"text": call.parameters["text"] * 2}
        if call.parameters["text"] == "badbad":
            call.parameters["text"] = 1

    handler = serve(Does(call=change))
    assert handler.Ping("x") == {"text": "xx"}
    with pytest.raises(InvalidParameter):
        handler.Ping("bad")


def test_replies_are_changed(serve: Callable[..., Any]) -> None:
    def change(_: Any, parameters: dict[str, Any]) -> dict[str, Any] | None:
        if parameters["text"] == "fail":
            raise MethodNotFound("nothing")
        return {"text": 1 if parameters["text"] == "bad" else parameters["text"].upper()}

    handler = serve(Does(reply=change))
    assert handler.Ping("x") == {"text": "X"}
    with pytest.raises(VarlinkError, match="InternalError"):
        handler.Ping("bad")
    with pytest.raises(MethodNotFound):
        handler.Ping("fail")
    assert handler.Ping("y") == {"text": "Y"}


def test_failures_are_changed(serve: Callable[..., Any]) -> None:
    def refuse(_: Any) -> None:
        raise RuntimeError("a secret")

    handler = serve(Does(call=refuse, failure=lambda _, error: PermissionDenied()))
    with pytest.raises(PermissionDenied):
        handler.Ping("x")


def test_an_end_that_fails_is_logged(serve: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("at the end")

    handler = serve(Does(end=fail))
    assert handler.Ping("x") == {"text": "x"}
    assert handler.Ping("y") == {"text": "y"}
    assert "at the end" in caplog.text


class Named(fastvarlink.Interceptor):
    """Sets a variable for the handler, and sees what has become of it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.over = threading.Semaphore(0)

    def call(self, call: Any) -> None:
        assert WHO.get() == "nobody"
        WHO.set("a")

    def end(self, call: Any) -> None:
        self.found.append(WHO.get())
        self.over.release()


class Variables:
    """Handlers that read the variable, and change it."""

    def Say(self) -> dict[str, Any]:
        WHO.set(WHO.get() + "b")
        return {"text": WHO.get()}

    def Repeat(self) -> Iterator[dict[str, Any]]:
        for i in range(3):
            WHO.set(WHO.get() + "b")
            yield {"text": WHO.get(), "_continues": i < 2}


@pytest.mark.parametrize("driver", DRIVERS)
def test_variables_follow_the_call(tmp_path: Path, driver: str) -> None:
    named = Named()
    service = fastvarlink.Service(interceptors=[named])
    service.interface(
        "interface org.example.v\nmethod Say() -> (text: string)\nmethod Repeat() -> (text: string)"
    )(Variables if driver in ("threads", "loop") else in_loop(Variables, driver == "tasks"))
    server = RunningServer(tmp_path, service=service, driver=driver)
    try:
        with fastvarlink.Client(server.address) as client:
            client.add_interface(service.interfaces["org.example.v"])
            with client.open("org.example.v") as handler:
                for _ in range(3):
                    assert handler.Say() == {"text": "ab"}
                    replies = list(handler.Repeat(_more=True))
                    assert [reply["text"] for reply in replies] == ["ab", "abb", "abbb"]
        for _ in range(6):
            assert named.over.acquire(timeout=PATIENCE)
        assert named.found == ["ab", "abbb"] * 3
    finally:
        server.stop()
    assert WHO.get() == "nobody"


def test_connections(serve: Callable[..., Any]) -> None:
    seen: list[Any] = []
    closed = threading.Event()

    class Watch(fastvarlink.Interceptor):
        def opened(self, connection: Any) -> None:
            connection.state["number"] = len(seen)
            seen.append(("opened", connection.peer.uid))

        def closed(self, connection: Any) -> None:
            seen.append(("closed", connection.state["number"]))
            closed.set()

        def refused(self, peer: Any, why: str) -> None:
            seen.append(("refused", why))

        def call(self, call: Any) -> None:
            seen.append(("call", call.context.state["number"]))

    handler = serve(Watch(), limits=fastvarlink.Limits(max_connections=1))
    with socket.socket(socket.AF_UNIX) as second:
        second.connect(handler.server.address.removeprefix("unix:"))
        assert second.recv(1) == b""
    handler.close()
    assert closed.wait(PATIENCE)
    assert seen == [
        ("opened", os.geteuid()),
        ("call", 0),
        ("refused", "there are too many connections"),
        ("closed", 0),
    ]


def test_only_interceptors_can_intercept() -> None:
    with pytest.raises(TypeError, match="is no Interceptor"):
        fastvarlink.Service(interceptors=[print])  # type: ignore[list-item]

    class Wrong(fastvarlink.Interceptor):
        async def end(self, call: Any) -> None:  # type: ignore[override]
            pass

    with pytest.raises(TypeError, match="only call\\(\\) can be awaited"):
        fastvarlink.Service(interceptors=[Wrong()])


# ---- the examples


def test_the_access_log(serve: Callable[..., Any]) -> None:
    file = io.StringIO()
    over = Diary()
    handler = serve(over, AccessLog(file))
    handler.Ping("secret")
    with pytest.raises(handler.Failed):
        handler.Fail("secret", 1)
    with pytest.raises(VarlinkError):
        handler.Crash()
    with handler.Endless(10, _more=True) as replies:
        next(replies)
    for _ in range(4):
        over.wait()
    assert "secret" not in file.getvalue()
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    lines = [line for line in lines if line["method"].startswith(INTERFACE)]
    assert [(line["method"].rpartition(".")[2], line["error"], line["interrupted"]) for line in lines] == [
        ("Ping", None, False),
        ("Fail", f"{INTERFACE}.Failed", False),
        ("Crash", "internal", False),
        ("Endless", "internal", True),
    ]
    assert all(line["uid"] == os.geteuid() and line["seconds"] >= 0 and line["time"] > 0 for line in lines)
    assert lines[0]["replies"] == 1


def test_the_allow_list(serve: Callable[..., Any]) -> None:
    me = os.geteuid()
    handler = serve(AllowList({f"{INTERFACE}.P*": [me], f"{INTERFACE}.*": [me + 1]}))
    assert handler.Ping("x") == {"text": "x"}
    with pytest.raises(PermissionDenied):
        handler.Crash()
    with pytest.raises(PermissionDenied):
        next(handler.Count(3, _more=True))
