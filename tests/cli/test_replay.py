"""The verb replay: recorded calls are made again, or answered as they were."""

from __future__ import annotations

import contextlib
import json
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fastvarlink.cli.verbs import monitor as monitor_verb
from fastvarlink.cli.verbs import replay as replay_verb

from .command import COMMAND, PATIENCE, printed, refused, run
from .monitored import connected, monitor, played, received

START = {"kind": "start", "format": "varlink-traffic-1"}
PING = "org.example.more.Ping"


def call(
    number: int, method: str, parameters: Any = None, connection: int = 1, **flags: Any
) -> dict[str, Any]:
    message = {"method": method, **flags, **({"parameters": parameters} if parameters is not None else {})}
    return {"kind": "call", "time": 0.1, "connection": connection, "call": number, "method": method} | {
        "message": message
    }


def reply(number: int, message: dict[str, Any], connection: int = 1, time: float = 0.1) -> dict[str, Any]:
    return {"kind": "reply", "time": time, "connection": connection, "call": number, "message": message}


def recording(path: Path, *records: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(record) + "\n" for record in (START, *records)))
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "traffic.jsonl"


@contextlib.contextmanager
def answering(path: str, folder: Path) -> Iterator[str]:
    """The address of a service that is nothing but a recording."""
    address = f"unix:{folder}/fake"
    words = [*COMMAND, "replay", path, "--as-service", address]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert b"Listening" in process.stdout.readline()
            yield address
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=PATIENCE)
            assert (process.returncode, complaints) == (0, b"")
            assert not Path(f"{folder}/fake").exists()
        finally:
            process.kill()


def test_the_examples_work(more: str, tmp_path: Path) -> None:
    for example in (*monitor_verb.EXAMPLES, *replay_verb.EXAMPLES):
        words = shlex.split(example.replace("unix:/run/org.example.more", more))[1:]
        if "--listen" not in words and "--as-service" not in words:
            assert b": none differs." in run(*words, cwd=tmp_path).stdout
            continue
        with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, cwd=tmp_path) as process:
            assert process.stdout is not None
            assert b"Listening" in process.stdout.readline()
            place = words[-1] if "--as-service" in words else words[words.index("--listen") + 1]
            address = place.replace("./", f"{tmp_path}/")
            assert printed("call", address, PING, '{"ping": "hello"}') == '{"pong":"hello"}\n'
            process.send_signal(signal.SIGINT)
            assert b"Traceback" not in process.communicate(timeout=PATIENCE)[0]
        assert process.returncode == 0


def test_what_was_recorded_can_be_played_to_the_service_and_in_its_place(more: str, file: Path) -> None:
    with monitor(more, file.parent, "-o", str(file)) as monitored:
        address = monitored.address
        printed("call", address, PING, '{"ping": "hello"}')
        printed("call", "--more", address, "org.example.more.TestMore", '{"n": 3}')
        assert run("call", address, "org.example.more.TestMore", '{"n": 3}').returncode == 1
        monitored.lines_until(lambda lines: sum("closed by" in line for line in lines) == 3)
        monitored.stop()
    assert printed("replay", str(file), more) == "3 calls, 8 replies: none differs.\n"
    with answering(str(file), file.parent) as fake:
        assert printed("replay", str(file), fake) == "3 calls, 8 replies: none differs.\n"
        assert printed("call", fake, PING, '{"ping": "hello"}') == '{"pong":"hello"}\n'
        status, sentence = refused("call", fake, PING, '{"ping": "other"}')
        assert (status, "fastvarlink.replay.NotRecorded" in sentence) == (1, True)


def test_differences_are_told_by_their_paths_and_can_be_ignored(more: str, file: Path) -> None:
    path = recording(
        file,
        call(1, PING, {"ping": "a"}),
        call(2, PING, {"ping": "b"}),
        reply(1, {"parameters": {"pong": "A", "since": [1, {"x y": True}]}}),
        reply(2, {"error": "org.example.more.TestMoreError", "parameters": {"reason": "none"}}),
    )
    done = run("replay", path, more)
    assert (done.returncode, done.stderr) == (1, b"")
    assert done.stdout.decode().splitlines() == [
        f'#1 call 1 {PING}, reply 1: parameters.pong was "A", is "a"',
        f'#1 call 1 {PING}, reply 1: parameters.since was [1,{{"x y":true}}], is not there',
        f'#1 call 2 {PING}, reply 1: error was "org.example.more.TestMoreError", is not there',
        f'#1 call 2 {PING}, reply 1: parameters.reason was "none", is not there',
        f'#1 call 2 {PING}, reply 1: parameters.pong was not there, is "b"',
        "2 calls, 2 replies: 2 differ.",
    ]
    done = run("replay", path, more, "--ignore", "parameters.*", "--json=short")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "calls": 2,
        "skipped": 0,
        "replies": 2,
        "different": 1,
        "differences": [
            {
                "connection": 1,
                "call": 2,
                "method": PING,
                "reply": 1,
                "path": "error",
                "recorded": "org.example.more.TestMoreError",
            }
        ],
    }
    ignored = ("--ignore", "parameters", "--ignore", "error")
    assert printed("replay", path, more, *ignored) == "2 calls, 2 replies: none differs.\n"


def test_a_stream_that_is_shorter_or_longer_differs(more: str, file: Path) -> None:
    states = [{"start": True}, {"progress": 0}, {"progress": 100}, {"end": True}]
    stream = [reply(1, {"parameters": {"state": state}, "continues": True}) for state in states]
    del stream[-1]["message"]["continues"]
    path = recording(
        file, call(1, "org.example.more.TestMore", {"n": 1}, more=True), *stream, call(2, PING, {"ping": ""})
    )
    assert printed("replay", path, more) == "2 calls, 4 replies: none differs.\n"
    path = recording(
        file, call(1, "org.example.more.TestMore", {"n": 1}, more=True), *stream[:3], stream[2], stream[3]
    )
    done = run("replay", path, more)
    assert done.returncode == 1
    assert b"reply 5: the reply was" in done.stdout


def test_calls_of_several_connections_are_made_in_their_order(file: Path) -> None:
    path = recording(
        file,
        call(1, "org.example.A"),
        call(1, "org.example.B", connection=2),
        call(2, "org.example.C", oneway=True),
        reply(1, {"parameters": {"n": 2}}, connection=2),
        {"kind": "end", "time": 1, "connection": 2},
        reply(1, {}),
    )
    seen = []

    with played(file.parent) as service:

        def serve() -> None:
            with service.accept() as first:
                seen.append(received(first, 27))
                with service.accept() as second:
                    seen.append(received(second, 27))
                    seen.append(received(first, 41))
                    second.sendall(b'{"parameters":{"n":2}}\0')
                    seen.append(second.recv(1))
                    first.sendall(b'{"parameters":null}\0')

        thread = threading.Thread(target=serve)
        thread.start()
        assert printed("replay", path, service.address) == "3 calls, 2 replies: none differs.\n"
        thread.join()
    assert [json.loads(each[:-1])["method"][-1] for each in (seen[0], seen[1], seen[2])] == ["A", "B", "C"]
    assert seen[3] == b""


def test_the_recorded_pace_is_kept(more: str, file: Path) -> None:
    later = call(2, PING, {"ping": "b"}) | {"time": 2.1}
    path = recording(file, call(1, PING, {"ping": "a"}), reply(1, {"parameters": {"pong": "a"}}), later)
    start = time.monotonic()
    printed("replay", path, more, "--speed", "2")
    assert time.monotonic() - start >= 1


def test_calls_with_descriptors_are_not_made(more: str, file: Path) -> None:
    path = recording(
        file, call(1, PING, {"ping": "a"}) | {"descriptors": 1}, reply(1, {}), call(2, PING, {"ping": ""})
    )
    lines = printed("replay", path, more).splitlines()
    assert lines[0].startswith(f"#1 call 1 {PING} was not made: the file descriptors")
    assert lines[1] == "1 call, 0 replies: none differs."


def test_a_lost_connection_and_a_late_reply_are_told(file: Path) -> None:
    path = recording(file, call(1, "org.example.A"), reply(1, {}))
    with played(file.parent) as service:
        thread = threading.Thread(target=lambda: service.accept().close())
        thread.start()
        status, sentence = refused("replay", path, service.address)
        thread.join()
        assert status == 3
        assert "closed" in sentence or "reset" in sentence or "Broken pipe" in sentence
        status, sentence = refused("replay", path, service.address, "--timeout", "0.05")
        assert (status, "within 0.05 seconds" in sentence) == (4, True)


def test_what_is_no_recording_is_told(more: str, file: Path) -> None:
    def complaint(text: str) -> str:
        file.write_text(text)
        status, sentence = refused("replay", str(file), more)
        assert status == 5
        return sentence

    assert "is no recording" in complaint("{}\n")
    assert "is no recording" in complaint("")
    assert "Line 2 " in complaint(json.dumps(START) + "\nno\n")
    assert "lacks something" in complaint(json.dumps(START) + '\n{"kind":"call"}\n')
    # What was being written when the monitor was killed is left out.
    assert "has no calls" in complaint(json.dumps(START) + '\n{"kind":"ca')
    status, sentence = refused("replay", f"{file}x", more)
    assert (status, "cannot be read" in sentence) == (5, True)
    assert refused("replay", str(file), more, "--ignore", "[")[0] == 2


def test_a_recording_answers_repeated_calls_in_their_order(file: Path) -> None:
    path = recording(
        file,
        call(1, "org.example.A"),
        reply(1, {"parameters": {"n": 1}}),
        call(2, "org.example.A"),
        reply(2, {"parameters": {"n": 2}}),
        call(3, "org.example.Switch", upgrade=True),
        reply(3, {}),
    )
    once = b'{"method":"org.example.A"}\0'
    with answering(path, file.parent) as fake, connected(fake) as client:
        client.sendall(b'{"method":"org.example.A","oneway":true}\0' + once * 3)
        answers = [b'{"parameters":{"n":%d}}\0' % n for n in (1, 2, 2)]
        assert received(client, 69) == b"".join(answers)
        client.sendall(b'{"method":"org.example.Switch","upgrade":true}\0')
        assert received(client, 3) == b"{}\0"
        assert client.recv(1) == b""
