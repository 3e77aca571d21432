"""The texts of json_cases in every place where a frame has a value, at the server and at the client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fastvarlink
from fastvarlink.error import ProtocolError, VarlinkError

from .json_cases import ACCEPTED, CLOSES, DECIDED, REJECTED
from .rawstream import RawStream
from .sample import RunningServer
from .scripted import Script, ScriptedPeer, answers

INTERFACE = "org.example.json"

DESCRIPTION = """\
interface org.example.json

# Sends the value back; null is no value.
method Echo(value: ?any) -> (value: ?any)
"""

#: What is taken for a value, and what is not.
TAKEN = ACCEPTED | {name: (c.text, c.value) for name, c in DECIDED.items() if c.value is not CLOSES}
REFUSED = REJECTED | {name: c.text for name, c in DECIDED.items() if c.value is CLOSES}

#: Those that are strings may also stand for a name.
TAKEN_NAMES = {name: case for name, case in TAKEN.items() if isinstance(case[1], str)}
REFUSED_NAMES = {name: text for name, text in REFUSED.items() if text.startswith(b'"')}

#: Deeper than this is not JSON to the decoder, whatever is around the parameters.
DEEPEST = 1024

# Calls and replies with a place for a value. What the place is decides which code finds the value's end.
LAST_IN_CALL = b'{"method":"org.example.json.Echo","parameters":{"value":%s}}'
FIRST_IN_CALL = b'{"parameters":{"value":%s},"method":"org.example.json.Echo"}'
PARAMETERS_OF_CALL = b'{"method":"org.example.json.Echo","parameters":%s}'
EXTENSION_OF_CALL = b'{"method":"org.example.json.Echo","com.example.a":%s}'
NAME_IN_CALL = b'{"method":"org.example.json.Echo","parameters":{"value":{%s:1}}}'
METHOD = b'{"method":%s}'
LAST_IN_REPLY = b'{"parameters":{"value":%s}}'
FIRST_IN_REPLY = b'{"parameters":{"value":%s},"com.example.a":1}'
PARAMETERS_OF_REPLY = b'{"parameters":%s}'
EXTENSION_OF_REPLY = b'{"com.example.a":%s}'
NAME_IN_REPLY = b'{"parameters":{"value":{%s:1}}}'
ERROR = b'{"error":%s}'
WHOLE = b"%s"

Connect = Callable[[RunningServer], RawStream]
OpenAt = Callable[..., list[Any]]


def filled(pattern: bytes, text: bytes) -> bytes:
    """The frame with the text in its place."""
    return pattern.replace(b"%s", text) + b"\0"


def texts(cases: dict[str, bytes]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("text", cases.values(), ids=cases.keys())


def values(cases: dict[str, tuple[bytes, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("text", "value"), cases.values(), ids=cases.keys())


def assert_same(found: Any, value: Any) -> None:
    # Their texts, because to Python 1 equals 1.0 and True, and 0.0 equals -0.0.
    assert repr(found) == repr(value)


def depth(value: Any) -> int:
    """How many lists of one element there are, down to one that is empty."""
    levels = 1
    while value:
        (value,) = value
        levels += 1
    return levels


class Echoing:
    """Handles the interface, and remembers the values that it was given."""

    def __init__(self) -> None:
        self.received: list[Any] = []

    def Echo(self, value: Any = None) -> dict[str, Any]:
        self.received.append(value)
        return {"value": value}


class EchoServer(RunningServer):
    """One for all cases, of which none leaves anything behind but a closed connection."""

    def __init__(self, directory: Any) -> None:
        self.handler = Echoing()
        service: Any = fastvarlink.Service()
        service.interface(DESCRIPTION)(lambda: self.handler)
        super().__init__(directory, service=service)


@pytest.fixture(scope="module")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoServer]:
    server = EchoServer(tmp_path_factory.mktemp("json"))
    yield server
    server.stop()


@pytest.fixture
def echoing(echo_server: EchoServer) -> EchoServer:
    """The server, with nothing received."""
    echo_server.handler.received.clear()
    return echo_server


@pytest.fixture
def open_at(peer: ScriptedPeer, make_client: Callable[..., Any]) -> Iterator[OpenAt]:
    """Start the peer with scripts, and open a connection to each of them, one after the other."""
    client = make_client(peer.address)
    client.add_interface(fastvarlink.Interface.from_specification(DESCRIPTION))
    opened: list[Any] = []

    def start(*scripts: Script) -> list[Any]:
        peer.start(*scripts)
        opened.extend(client.open(INTERFACE) for _ in scripts)
        return opened

    yield start
    for handler in opened:
        handler.close()
    client.cleanup()
    peer.finish()


@pytest.mark.rule("F2")
@pytest.mark.rule("P4")
@pytest.mark.rule("C4")
@values(TAKEN)
def test_a_value_is_received_and_comes_back(
    echoing: EchoServer, connect: Connect, text: bytes, value: Any
) -> None:
    stream = connect(echoing)
    for pattern in (LAST_IN_CALL, FIRST_IN_CALL):
        stream.send(filled(pattern, text))
        assert_same(stream.read_reply().get("parameters", {}).get("value"), value)
    assert_same(echoing.handler.received, [value, value])
    # What a call does not need is read as well, and ignored if it is JSON.
    stream.send(filled(EXTENSION_OF_CALL, text))
    assert stream.read_reply() == {}


@pytest.mark.rule("F3")
@pytest.mark.rule("F4")
@texts(REFUSED)
def test_what_is_no_json_closes(echoing: EchoServer, connect: Connect, text: bytes) -> None:
    for pattern in (LAST_IN_CALL, FIRST_IN_CALL, PARAMETERS_OF_CALL, EXTENSION_OF_CALL, WHOLE):
        stream = connect(echoing)
        stream.send(filled(pattern, text))
        stream.expect_end()
    assert echoing.handler.received == []


@pytest.mark.rule("C1")
@pytest.mark.rule("C2")
@pytest.mark.rule("P1")
@values(TAKEN)
def test_json_that_is_no_call_or_no_parameters_closes(
    echoing: EchoServer, connect: Connect, text: bytes, value: Any
) -> None:
    stream = connect(echoing)
    stream.send(filled(PARAMETERS_OF_CALL, text))
    if value is None or value == {}:
        assert stream.read_reply() == {}
    elif isinstance(value, dict):
        reply = stream.read_reply()
        assert reply["error"] == "org.varlink.service.InvalidParameter"
        assert reply["parameters"]["parameter"] in value
    else:
        stream.expect_end()
    stream = connect(echoing)
    stream.send(filled(WHOLE, text))
    stream.expect_end()


@pytest.mark.rule("C1")
@pytest.mark.rule("E2")
@values(TAKEN_NAMES)
def test_a_string_as_a_name(echoing: EchoServer, connect: Connect, text: bytes, value: str) -> None:
    stream = connect(echoing)
    stream.send(filled(NAME_IN_CALL, text))
    assert stream.read_reply() == {"parameters": {"value": {value: 1}}}
    stream.send(filled(METHOD, text))
    assert stream.read_reply() == {
        "error": "org.varlink.service.MethodNotFound",
        "parameters": {"method": value},
    }


@pytest.mark.rule("F4")
@texts(REFUSED_NAMES)
def test_what_is_no_string_is_no_name(echoing: EchoServer, connect: Connect, text: bytes) -> None:
    for pattern in (NAME_IN_CALL, METHOD):
        stream = connect(echoing)
        stream.send(filled(pattern, text))
        stream.expect_end()
    assert echoing.handler.received == []


@pytest.mark.rule("F8")
def test_as_deep_as_the_decoder_goes(echoing: EchoServer, connect: Connect) -> None:
    levels = DEEPEST - 1  # the parameters are the first
    for pattern in (LAST_IN_CALL, FIRST_IN_CALL):
        stream = connect(echoing)
        stream.send(filled(pattern, b"[" * levels + b"]" * levels))
        # It is received; to send it back would be more than our encoder can do.
        assert stream.read_reply()["error"] == "fastvarlink.service.InternalError"
        stream.send(filled(pattern, b"[" * (levels + 1) + b"]" * (levels + 1)))
        stream.expect_end()
    assert [depth(value) for value in echoing.handler.received] == [levels, levels]


@pytest.mark.rule("P4")
@pytest.mark.rule("R2")
@pytest.mark.rule("R4")
@values(TAKEN)
def test_a_value_in_a_reply(open_at: OpenAt, text: bytes, value: Any) -> None:
    patterns = [LAST_IN_REPLY, FIRST_IN_REPLY, EXTENSION_OF_REPLY]
    (handler,) = open_at(answers(*(filled(pattern, text) for pattern in patterns)))
    for _ in range(2):
        assert_same(handler.Echo(1).get("value"), value)
    assert handler.Echo(1) == {}


def refuses(peer: ScriptedPeer, handlers: list[Any]) -> None:
    """Each call fails and the client closes its connection."""
    for handler in handlers:
        with pytest.raises(ProtocolError):
            handler.Echo(1)
    peer.finish()


@pytest.mark.rule("F3")
@pytest.mark.rule("F4")
@texts(REFUSED)
def test_what_is_no_json_in_a_reply(open_at: OpenAt, peer: ScriptedPeer, text: bytes) -> None:
    patterns = [LAST_IN_REPLY, FIRST_IN_REPLY, PARAMETERS_OF_REPLY, EXTENSION_OF_REPLY, WHOLE]
    refuses(peer, open_at(*(answers(filled(pattern, text)) for pattern in patterns)))


@pytest.mark.rule("R2")
@pytest.mark.rule("R3")
@pytest.mark.rule("R4")
@values(TAKEN)
def test_json_that_is_no_reply_or_no_parameters(
    open_at: OpenAt, peer: ScriptedPeer, text: bytes, value: Any
) -> None:
    patterns = [PARAMETERS_OF_REPLY, WHOLE]
    inside, whole = open_at(*(answers(filled(pattern, text)) for pattern in patterns))
    wrong = []
    if value is None or isinstance(value, dict):
        # None of the members is declared.
        assert inside.Echo(1) == {}
        inside.close()
    else:
        wrong.append(inside)
    if value == {}:
        assert whole.Echo(1) == {}
        whole.close()
    else:
        wrong.append(whole)
    refuses(peer, wrong)


@pytest.mark.rule("R5")
@values(TAKEN_NAMES)
def test_a_string_as_a_name_in_a_reply(open_at: OpenAt, text: bytes, value: str) -> None:
    (handler,) = open_at(answers(filled(NAME_IN_REPLY, text), filled(ERROR, text)))
    assert handler.Echo(1) == {"value": {value: 1}}
    with pytest.raises(VarlinkError) as caught:
        handler.Echo(1)
    assert caught.value.error() == value


@pytest.mark.rule("F4")
@texts(REFUSED_NAMES)
def test_what_is_no_string_is_no_name_in_a_reply(open_at: OpenAt, peer: ScriptedPeer, text: bytes) -> None:
    refuses(peer, open_at(*(answers(filled(pattern, text)) for pattern in (NAME_IN_REPLY, ERROR))))


@pytest.mark.rule("F8")
def test_a_reply_as_deep_as_the_decoder_goes(open_at: OpenAt, peer: ScriptedPeer) -> None:
    levels = DEEPEST - 1
    good = filled(LAST_IN_REPLY, b"[" * levels + b"]" * levels)
    deeper = filled(LAST_IN_REPLY, b"[" * (levels + 1) + b"]" * (levels + 1))
    handlers = open_at(answers(good, deeper))
    assert depth(handlers[0].Echo(1)["value"]) == levels
    refuses(peer, handlers)
