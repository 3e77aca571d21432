"""Handlers that take and return typed objects, called over a socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import pytest

import fastvarlink
from fastvarlink.error import ExpectedMore, InvalidParameter, MethodNotImplemented, VarlinkError

PATIENCE = 10.0


@dataclass
class Point:
    x: int
    y: int | None = None

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x must not be negative")


@dataclass
class Route:
    points: list[Point]
    by_name: dict[str, Point] = field(default_factory=dict)


class Sum(TypedDict):
    total: int


class Failed(fastvarlink.InterfaceError):
    at: Point


@fastvarlink.interface("org.example.typed", errors=[Failed])
class Typed:
    def __init__(self) -> None:
        self.closed = threading.Event()
        self.go = threading.Event()
        self.seen: list[Any] = []

    @fastvarlink.method(returns="path")
    def Echo(self, path: Route) -> Route:
        self.seen.append(path)
        return path

    def Add(self, a: int, b: int = 10, *, _oneway: bool = False) -> Sum:
        self.seen.append((a, b, _oneway))
        return {"total": a + b}

    def Nothing(self) -> None:
        return None

    def Fail(self, x: int) -> Point:
        raise Failed(at=Point(x))

    def Points(self, n: int) -> Iterator[Point]:
        for x in range(n):
            yield Point(x)

    @fastvarlink.method(returns="i")
    def Mapped(self, n: int) -> Iterator[int]:
        return map(int, range(n))

    @fastvarlink.method(returns="i")
    def Ending(self, n: int) -> Iterator[int]:
        yield from range(n)
        return n

    def Failing(self, n: int) -> Iterator[Point]:
        yield from map(Point, range(n))
        raise Failed(at=Point(n))

    @fastvarlink.method(returns="i", live=True)
    def Live(self) -> Iterator[int | None]:
        try:
            yield 1
            assert self.go.wait(PATIENCE)
            yield 2
        finally:
            self.closed.set()

    @fastvarlink.method(returns="i", live=True)
    def Watch(self) -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            self.closed.set()


class Running:
    def __init__(self, directory: Path, service: fastvarlink.Service) -> None:
        self.address = f"unix:{directory}/socket"
        self.server = fastvarlink.ThreadingServer(self.address, service)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.client = fastvarlink.Client(self.address)
        self.handlers: list[Any] = []

    def open(self, interface: Any) -> Any:
        self.handlers.append(self.client.open(interface))
        return self.handlers[-1]

    def stop(self) -> None:
        for handler in self.handlers:
            handler.close()
        self.client.cleanup()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[fastvarlink.Service], Running]]:
    running: list[Running] = []

    def start(service: fastvarlink.Service) -> Running:
        running.append(Running(tmp_path, service))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def object_() -> Typed:
    return Typed()


@pytest.fixture
def typed(serve: Callable[[fastvarlink.Service], Running], object_: Typed) -> Any:
    service = fastvarlink.Service()
    assert service.interface(object_) is object_
    return serve(service).open("org.example.typed")


def test_objects_come_and_go(typed: Any, object_: Typed) -> None:
    path = {"points": [{"x": 1}, {"x": 2, "y": 3}], "by_name": {"a": {"x": 4}}}
    assert typed.Echo(path)["path"] == path
    assert object_.seen == [Route([Point(1), Point(2, 3)], {"a": Point(4)})]


def test_a_class_may_refuse_what_its_fields_let_pass(typed: Any, object_: Typed) -> None:
    with pytest.raises(InvalidParameter) as caught:
        typed.Echo({"points": [{"x": 1}, {"x": -1}], "by_name": {}})
    assert caught.value.parameters() == {"parameter": "path.points[1]"}
    assert object_.seen == []


def test_defaults_stand_for_what_is_absent(typed: Any, object_: Typed) -> None:
    assert typed.Add(1) == {"total": 11}
    assert typed.Add(a=1, b=2) == {"total": 3}
    assert typed.Add(a=1, b=None, _oneway=True) is None
    assert typed.Nothing() == {}
    assert object_.seen == [(1, 10, False), (1, 2, False), (1, 10, True)]


def test_errors_carry_objects(typed: Any) -> None:
    with pytest.raises(typed.Failed) as caught:
        typed.Fail(3)
    assert caught.value.error() == "org.example.typed.Failed"
    assert caught.value.at == {"x": 3}


def test_the_last_reply_of_a_stream_is_the_last(typed: Any) -> None:
    assert list(typed.Points(3, _more=True)) == [{"x": 0}, {"x": 1}, {"x": 2}]
    assert list(typed.Points(1, _more=True)) == [{"x": 0}]
    assert list(typed.Mapped(2, _more=True)) == [{"i": 0}, {"i": 1}]
    assert list(typed.Ending(2, _more=True)) == [{"i": 0}, {"i": 1}, {"i": 2}]
    assert list(typed.Ending(0, _more=True)) == [{"i": 0}]


def test_a_stream_without_a_reply_is_an_error_where_one_is_due(typed: Any) -> None:
    with pytest.raises(VarlinkError) as caught:
        list(typed.Points(0, _more=True))
    assert caught.value.error() == "fastvarlink.service.InternalError"
    assert typed.Nothing() == {}


def test_what_was_held_back_goes_out_before_an_error(typed: Any) -> None:
    replies = typed.Failing(2, _more=True)
    assert [next(replies), next(replies)] == [{"x": 0}, {"x": 1}]
    with pytest.raises(typed.Failed) as caught:
        next(replies)
    assert caught.value.at == {"x": 2}


def test_a_stream_needs_more(typed: Any) -> None:
    with pytest.raises(ExpectedMore):
        typed.Points(3)
    assert typed.Nothing() == {}


def test_a_live_stream_is_not_held_back(typed: Any, object_: Typed) -> None:
    replies = typed.Live(_more=True)
    assert next(replies) == {"i": 1}
    object_.go.set()
    assert list(replies) == [{"i": 2}, {}]
    assert object_.closed.wait(PATIENCE)


@pytest.mark.rule("R6")
def test_a_stream_that_is_left_is_closed(typed: Any, object_: Typed) -> None:
    replies = typed.Watch(_more=True)
    assert next(replies) == {"i": 1}
    replies.close()
    assert object_.closed.wait(PATIENCE)


TEXT = "interface org.example.text\nmethod Ping(text: string, class: ?int) -> (text: string)\n"


def call(service: fastvarlink.Service) -> Any:
    (reply,) = service.handle(b'{"method":"org.example.text.Ping","parameters":{"text":"x"}}')
    return reply


@pytest.mark.parametrize("form", ["name", "path", "relative path", "PathLike", "text"])
def test_a_service_takes_a_definition_in_any_form(tmp_path: Path, form: str) -> None:
    file = tmp_path / "org.example.text.varlink"
    file.write_text(TEXT)
    service = fastvarlink.Service(interface_dir=str(tmp_path))
    given = {
        "name": "org.example.text",
        "path": str(file),
        "relative path": file.name,
        "PathLike": file,
        "text": TEXT,
    }[form]

    @service.interface(given)
    class Texts:
        def Ping(self, text: str, class_: int | None) -> dict[str, Any]:
            return {"text": text}

    assert call(service) == b'{"parameters":{"text":"x"}}'


def test_a_definition_with_faults_is_told_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "org.example.text.varlink"
    file.write_text(TEXT.replace("?int", "?Int"))
    with pytest.raises(SyntaxError, match=rf"{file}, line 2, column 35: Found 'Int'"):
        fastvarlink.Service().interface(file)


def test_an_error_of_no_interface_is_of_the_one_that_raised_it() -> None:
    class Broken(fastvarlink.InterfaceError):
        at: int

    service = fastvarlink.Service()

    @service.interface(
        "interface org.example.text\nmethod Ping(text: string) -> ()\nerror Broken (at: int)\n"
    )
    class Texts:
        def Ping(self, text: str) -> dict[str, Any]:
            raise Broken(at=1)

    assert call(service) == b'{"error":"org.example.text.Broken","parameters":{"at":1}}'


def test_a_class_or_an_object_without_a_definition_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Naked does not declare an interface: decorate"):
        fastvarlink.Service().interface(type("Naked", (), {}))


class Base(fastvarlink.TypedService, definition=fastvarlink.Definition(TEXT)):
    """As it is generated."""

    def Ping(self, text: str, class_: int | None) -> Any:
        raise MethodNotImplemented("org.example.text.Ping")


def test_a_generated_base() -> None:
    service = fastvarlink.Service()
    service.interface(Base)
    assert b"MethodNotImplemented" in call(service)

    @service.interface
    class Texts(Base):
        @fastvarlink.method(returns="text")
        def Ping(self, text: str, class_: int | None = 3) -> str:
            return f"{text}{class_}"

    assert call(service) == b'{"parameters":{"text":"x3"}}'


def test_a_handler_that_takes_something_else_is_refused() -> None:
    class Wrong(Base):
        def Ping(self, words: str) -> Any: ...  # type: ignore[override]

    with pytest.raises(TypeError, match=r"Ping takes \(words\), where it is declared with \(text, class\)"):
        fastvarlink.Service().interface(Wrong)
