"""The verb ping: calls are timed, lost ones counted, and all is summed up."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from fastvarlink.cli.traffic.latencies import Latencies, bars, span_text

from .command import COMMAND, PATIENCE, on_terminal, printed, refused, run
from .monitored import played

REPLY = b'{"parameters":{"n":1}}\0'


def test_each_call_has_a_line_and_all_a_summary(more: str) -> None:
    lines = printed("ping", "-c", "3", "-i", "0", more).splitlines()
    assert lines[0].startswith(f"connected to {more} in ")
    assert [line.partition(" ")[0] for line in lines[1:4]] == ["1:", "2:", "3:"]
    assert lines[4] == f"--- org.varlink.service.GetInfo at {more}"
    assert lines[5] == "3 calls, 3 replies, 0 lost (0 %)"
    names = [figure.split()[0] for figure in lines[6].split("  ")]
    assert names == ["min", "mean", "p50", "p90", "p99", "p99.9", "max"]
    assert len(lines) == 7


def test_the_summary_as_json(more: str) -> None:
    words = ("ping", "-c", "2", "-i", "0", "--json=short", more)
    summary = json.loads(printed(*words, "--method", "org.example.more.Ping", "ping=hello"))
    latency = summary.pop("latency")
    assert latency.pop("exact") is True
    assert list(latency) == ["min", "mean", "p50", "p90", "p99", "p99.9", "max"]
    assert 0 < latency["min"] <= latency["p50"] <= latency["p99.9"] <= latency["max"]
    (connecting,) = summary.pop("connect")
    assert connecting > 0
    assert summary == {
        "address": more,
        "method": "org.example.more.Ping",
        "calls": 2,
        "replies": 2,
        "errors": 0,
        "lost": 0,
    }


def test_an_error_is_a_reply_and_named(more: str) -> None:
    text = printed("ping", "-c", "1", more, "--method", "org.example.more.TestMore", '{"n": 1}')
    assert "error org.varlink.service.ExpectedMore" in text
    assert "1 of the replies errors, first org.varlink.service.ExpectedMore" in text


def test_a_flood_over_several_connections(more: str) -> None:
    words = ("ping", "--flood", "-c", "500", "--connections", "3", "--in-flight", "16", more)
    summary = json.loads(printed(*words, "--json=short"))
    assert (summary["calls"], summary["replies"], summary["lost"]) == (500, 500, 0)
    assert len(summary["connect"]) == 3
    assert summary["latency"]["exact"] is False
    assert summary["calls_per_second"] > 0
    assert "500 calls, 500 replies, 0 lost (0 %)," in printed(*words)


def test_ctrl_c_ends_it_with_the_summary(more: str) -> None:
    with on_terminal("ping", "-i", "0.01", more) as terminal:
        terminal.read_until("3: ")
        terminal.type("\x03")
        status, text = terminal.finish()
    assert status == 0
    assert "0 lost" in text.partition("--- org.varlink.service.GetInfo")[2]
    assert any(sign in text for sign in "▁▂▃▄▅▆▇█")


def test_ctrl_c_ends_a_flood_and_its_histogram_is_drawn_as_the_terminal_can(more: str) -> None:
    with on_terminal("ping", "--flood", more, env={"PYTHONIOENCODING": "ascii"}) as terminal:
        terminal.read_until("/s  ")
        terminal.type("\x03")
        status, text = terminal.finish()
    assert status == 0
    assert text.isascii()
    assert "\r\x1b[K" in text
    assert "calls a second" in text


def test_a_service_that_does_not_answer_loses_calls(tmp_path: Path) -> None:
    with played(tmp_path) as service:
        done = run("ping", "-c", "2", "-i", "0", "--timeout", "0.05", service.address)
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"1: lost: no reply within 0.05 s" in done.stdout
    assert b"2 calls, 0 replies, 2 lost (100 %)" in done.stdout


@pytest.mark.parametrize("flood", [(), ("--flood",)])
def test_a_service_that_closes_is_connected_to_again(tmp_path: Path, flood: tuple[str, ...]) -> None:
    with played(tmp_path) as service:

        def serve() -> None:
            for answers in (1, 0, 2):
                with service.accept() as connection:
                    for _ in range(answers):
                        connection.recv(1000)
                        connection.sendall(REPLY)
                    connection.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        done = run("ping", *flood, "-c", "5", "-i", "0", "--json=short", service.address)
        thread.join()
    assert done.returncode == 0
    summary = json.loads(done.stdout)
    # The call on the first connection that was not answered, and the one on the second.
    assert (summary["calls"], summary["replies"], summary["lost"]) == (5, 3, 2)


def test_a_service_that_is_restarted_is_connected_to_again(tmp_path: Path) -> None:
    with played(tmp_path) as service:
        process = subprocess.Popen(
            [*COMMAND, "ping", "-i", "0.02", "-c", "1000000", service.address], stdout=subprocess.PIPE
        )
        with process:
            assert process.stdout is not None
            with service.accept() as connection:
                connection.recv(1000)
                connection.sendall(REPLY)
                os.unlink(tmp_path / "played")
                service.endpoint.close()
            while b"no such file" not in process.stdout.readline():
                pass
            with socket.socket(socket.AF_UNIX) as endpoint:
                endpoint.bind(f"{tmp_path}/played")
                endpoint.listen()
                endpoint.settimeout(PATIENCE)
                connection, _ = endpoint.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(REPLY)
                    while b"bytes in" not in process.stdout.readline():
                        pass
                    process.send_signal(signal.SIGINT)
                    rest, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert b"2 replies" in rest


def test_who_does_not_speak_varlink_is_told(tmp_path: Path) -> None:
    with played(tmp_path) as service:

        def serve() -> None:
            with service.accept() as connection:
                connection.recv(1000)
                connection.sendall(b"220 hello\0")
                connection.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        done = run("ping", service.address)
        thread.join()
    assert done.returncode == 6
    assert b"does not speak Varlink" in done.stderr


def test_mistakes_are_told(tmp_path: Path) -> None:
    nowhere = f"unix:{tmp_path}/nowhere"
    assert refused("ping", nowhere)[0] == 3
    assert refused("ping")[0] == 2
    status, sentence = refused("ping", nowhere, "n=1")
    assert (status, "--method" in sentence) == (2, True)
    status, sentence = refused("ping", nowhere, "--in-flight", "2")
    assert (status, "--flood" in sentence) == (2, True)
    assert refused("ping", nowhere, "--flood", "--in-flight", "1000")[0] == 2
    assert refused("ping", nowhere, "-c", "0")[0] == 2


def test_percentiles_are_exact_or_near() -> None:
    exact, counted = Latencies(True), Latencies(False)
    for span in range(1, 10_001):
        exact.add(span * 100)
        counted.add(span * 100)
    assert exact.percentiles((50, 99.9)) == [500_000, 999_000]
    for precise, near in zip(exact.percentiles((1, 50, 100)), counted.percentiles((1, 50, 100)), strict=True):
        assert abs(near - precise) <= precise * 0.008
    whole = Latencies.together([exact, counted, Latencies(False)])
    assert (whole.count, whole.least, whole.most, whole.mean) == (20_000, 100, 1_000_000, exact.mean)
    assert whole.percentiles((0, 50)) == counted.percentiles((0, 50))
    assert Latencies(False).percentiles((50,)) == [0.0]


def test_a_histogram_has_as_many_columns_as_there_is_room_for() -> None:
    spans = Latencies(False)
    for span in (100, 100, 100, 5000, 10**9):
        spans.add(span)
    columns = spans.columns(20)
    assert len(columns) <= 20
    assert (columns[0], sum(columns), columns[-1]) == (3, 5, 1)
    assert bars([0, 1, 8], "utf-8") == " ▁█"
    assert bars([0, 1, 8], "ascii") == " .@"
    assert [span_text(span) for span in (900, 99_900, 1.5e6, 2.25e9)] == [
        "0.90 us",
        "99.9 us",
        "1.50 ms",
        "2.25 s",
    ]
