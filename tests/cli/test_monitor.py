"""The verb monitor: bytes go through it as they are, and what they say is told."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import socket
import stat
import threading
from pathlib import Path

import pytest

from .command import on_terminal, printed, refused
from .monitored import connected, monitor, played, played_on_tcp, received

GET = b'{"method":"org.example.Get","parameters":{"n":1}}\0'
PUT = b'{"method":"org.example.Put","oneway":true}\0'
SWITCH = b'{"method":"org.example.Switch","upgrade":true}\0'
DONE = b'{"parameters":{"n":1}}\0'


def sent_with(connection: socket.socket, data: bytes, *fds: int) -> None:
    socket.send_fds(connection, [data], list(fds))


def pipe_with(text: str) -> int:
    """A descriptor from which a text can be read."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


def taken(connection: socket.socket, size: int) -> tuple[bytes, list[str]]:
    """So many bytes, and what the descriptors hold that came with the first of them; none come later."""
    data, fds, _, _ = socket.recv_fds(connection, 1, 16)
    texts = []
    for fd in fds:
        with open(fd, encoding="utf-8") as file:
            texts.append(file.read())
    while len(data) < size:
        more, fds, _, _ = socket.recv_fds(connection, size - len(data), 16)
        assert more
        assert not fds
        data += more
    return data, texts


def kinds(records: list[dict[str, object]]) -> list[object]:
    return [record["kind"] for record in records]


def test_calls_and_replies_are_told_as_records(more: str, tmp_path: Path) -> None:
    with monitor(more, tmp_path, "--lines") as monitored:
        words = ("call", monitored.address, "org.example.more.Ping", '{"ping": "hello"}')
        assert json.loads(printed(*words)) == {"pong": "hello"}
        records = monitored.records_until("end")
        status, text, complaints = monitored.stop()
    assert (status, complaints) == (0, "")
    start = json.loads(text.splitlines()[0])
    assert (start["format"], start["listen"], start["service"]) == (
        "varlink-traffic-1",
        monitored.address,
        more,
    )
    opened, call, reply, end = records
    assert (opened["kind"], opened["connection"]) == ("open", 1)
    assert call.pop("time") >= opened["time"]
    assert call == {
        "kind": "call",
        "connection": 1,
        "from": "client",
        "call": 1,
        "method": "org.example.more.Ping",
        "size": 64,
        "message": {"method": "org.example.more.Ping", "parameters": {"ping": "hello"}},
    }
    assert reply.pop("time") > 0
    assert reply.pop("latency") > 0
    assert reply == {
        "kind": "reply",
        "connection": 1,
        "from": "service",
        "call": 1,
        "method": "org.example.more.Ping",
        "size": 31,
        "message": {"parameters": {"pong": "hello"}},
    }
    assert (end["from"], end["sent"]) == ("client", {"client": 65, "service": 32})
    assert not os.path.exists(tmp_path / "monitor")


def test_pipelined_and_split_calls_arrive_as_they_were_sent(tmp_path: Path) -> None:
    calls = GET + PUT + GET.replace(b'"n":1', b'"n" :\n 12345678901234567890') + b"no JSON\0" + b"\0" + GET
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            for i in range(0, len(calls), 7):
                client.sendall(calls[i : i + 7])
            assert received(end, len(calls)) == calls
            end.sendall(DONE * 2 + DONE[:5])
            assert received(client, 2 * len(DONE) + 5) == DONE * 2 + DONE[:5]
            end.sendall(DONE[5:])
            received(client, len(DONE) - 5)
        records = monitored.records_until("end")
    assert kinds(records).count("call") == 4
    assert [record["call"] for record in records if record["kind"] == "reply"] == [1, 3, 4]
    assert [record["method"] for record in records if record["kind"] == "reply"] == ["org.example.Get"] * 3
    assert records[3]["message"]["parameters"] == {"n": 12345678901234567890}
    first, second = [record for record in records if record["kind"] == "broken"]
    assert base64.b64decode(first["base64"]) == b"no JSON"
    assert "not JSON" in first["why"]
    assert second["size"] == 0


def test_what_has_no_end_is_passed_on_and_told(tmp_path: Path) -> None:
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.sendall(b'{"method":"org')
            client.shutdown(socket.SHUT_WR)
            assert received(end, 14) == b'{"method":"org'
            assert end.recv(1) == b""
        records = monitored.records_until("end")
    assert [record["why"] for record in records if record["kind"] == "broken"] == ["It has no end."]


def test_a_half_close_is_passed_on_and_replies_still_come(tmp_path: Path) -> None:
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.sendall(GET)
            client.shutdown(socket.SHUT_WR)
            assert received(end, len(GET)) == GET
            assert end.recv(1) == b""
            end.sendall(DONE)
            assert received(client, len(DONE)) == DONE
            end.close()
            assert client.recv(1) == b""
        records = monitored.records_until("end")
    assert kinds(records) == ["open", "call", "eof", "reply", "end"]
    assert [record.get("from") for record in records] == [None, "client", "client", "service", "client"]


def test_a_client_that_has_gone_is_gone_for_the_service_too(tmp_path: Path) -> None:
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        client = connected(monitored.address)
        with service.accept() as end:
            client.sendall(GET)
            client.close()
            assert received(end, len(GET)) == GET
            poll = select.poll()
            # More than the end of one direction.
            poll.register(end, 0)
            assert poll.poll(60_000)[0][1] & select.POLLHUP
        assert monitored.records_until("end")[-1]["from"] == "client"


def test_a_service_that_has_gone_is_gone_for_the_client_too(tmp_path: Path) -> None:
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client:
            end = service.accept()
            end.sendall(DONE[:4])
            end.close()
            assert received(client, 4) == DONE[:4]
            assert client.recv(1) == b""
            with pytest.raises(BrokenPipeError):
                client.sendall(GET)
        assert monitored.records_until("end")[-1]["from"] == "service"


def test_who_takes_nothing_holds_the_other_side_up(tmp_path: Path) -> None:
    block = b"x" * (1 << 20)
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.setblocking(False)
            sent = 0
            poll = select.poll()
            poll.register(client, select.POLLOUT)
            # Full for as long as this waits: what is in the sockets does not move.
            while poll.poll(500):
                sent += client.send(block)
            assert sent < len(block)
            # The other direction moves all the same.
            end.sendall(DONE)
            assert select.select([client], [], [], 60)[0]
            assert client.recv(100) == DONE
            assert len(received(end, sent)) == sent
        monitored.records_until("end")


def test_large_messages_in_both_directions_arrive_whole(tmp_path: Path) -> None:
    call = b'{"method":"org.example.Get","parameters":{"text":"%s"}}\0' % (b"x" * 3_000_000)
    reply = b'{"parameters":{"text":"%s"}}\0' % (b"y" * 3_000_000)
    with played(tmp_path) as service, monitor(service.address, tmp_path) as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            sending = [
                threading.Thread(target=client.sendall, args=(call,)),
                threading.Thread(target=end.sendall, args=(reply,)),
            ]
            for thread in sending:
                thread.start()
            assert received(end, len(call)) == call
            assert received(client, len(reply)) == reply
            for thread in sending:
                thread.join()
        lines = monitored.lines_until(lambda lines: "closed" in lines[-1])
    assert max(map(len, lines)) < 400
    assert "more characters" in lines[2]


def test_bytes_behind_an_upgrade_are_only_counted(tmp_path: Path) -> None:
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.sendall(SWITCH + b"early\0")
            assert received(end, len(SWITCH) + 6) == SWITCH + b"early\0"
            end.sendall(DONE + b"\0\0free")
            assert received(client, len(DONE) + 6) == DONE + b"\0\0free"
            client.sendall(b"late\0")
            assert received(end, 5) == b"late\0"
        records = monitored.records_until("end")
    assert kinds(records) == ["open", "call", "reply", "upgraded", "end"]
    assert records[-1]["sent"] == {"client": len(SWITCH) + 11, "service": len(DONE) + 6}


def test_calls_behind_an_upgrade_that_was_refused_are_calls(tmp_path: Path) -> None:
    refusal = b'{"error":"org.example.No"}\0'
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.sendall(SWITCH + GET)
            received(end, len(SWITCH) + len(GET))
            end.sendall(refusal + DONE)
            received(client, len(refusal) + len(DONE))
        records = monitored.records_until("end")
    assert kinds(records) == ["open", "call", "reply", "call", "reply", "end"]
    assert records[4]["method"] == "org.example.Get"


def test_descriptors_stay_with_their_message(tmp_path: Path) -> None:
    with played(tmp_path) as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client:
            # All of it waits before the monitor can look, as the service's queue is not looked at either.
            client.sendall(GET)
            sent_with(client, GET, first := pipe_with("one"), second := pipe_with("two"))
            client.sendall(GET)
            sent_with(client, PUT, third := pipe_with("three"))
            for fd in (first, second, third):
                os.close(fd)
            with service.accept() as end:
                size = len(GET)
                assert taken(end, size) == (GET, [])
                assert taken(end, size) == (GET, ["one", "two"])
                assert taken(end, size) == (GET, [])
                assert taken(end, len(PUT)) == (PUT, ["three"])
                sent_with(end, DONE, fourth := pipe_with("four"))
                os.close(fourth)
                assert taken(client, len(DONE)) == (DONE, ["four"])
        records = monitored.records_until("end")
    assert [record.get("descriptors") for record in records if record["kind"] == "call"] == [None, 2, None, 1]
    assert [record.get("descriptors") for record in records if record["kind"] == "reply"] == [1]


def test_descriptors_that_cannot_be_passed_on_are_told(tmp_path: Path) -> None:
    with played_on_tcp() as service, monitor(service.address, tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            sent_with(client, GET, fd := pipe_with("one"))
            os.close(fd)
            assert received(end, len(GET)) == GET
        records = monitored.records_until("end")
    assert "cannot be passed on to TCP" in next(each["why"] for each in records if each["kind"] == "note")


@pytest.mark.parametrize("listen", ["unix:@fastvarlink-monitor-{pid}", "tcp:127.0.0.1:0", "tcp:[::1]:0"])
def test_it_listens_at_every_kind_of_address(more: str, tmp_path: Path, listen: str) -> None:
    listen = listen.format(pid=os.getpid())
    if "::1" in listen and not ipv6():
        pytest.skip("This machine has no IPv6.")
    with monitor(more, tmp_path, "--lines", listen=listen) as monitored:
        words = ("call", monitored.address, "org.example.more.Ping", '{"ping": "hello"}')
        assert json.loads(printed(*words)) == {"pong": "hello"}


def ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_client_of_a_service_that_is_not_there_is_closed_and_told_why(tmp_path: Path) -> None:
    with monitor(f"unix:{tmp_path}/nobody", tmp_path, "--lines") as monitored:
        with connected(monitored.address) as client:
            assert client.recv(1) == b""
        (refused,) = monitored.records_until("refused")
        assert "there is no such file" in refused["why"]
        # It goes on.
        with connected(monitored.address) as client:
            assert client.recv(1) == b""
        assert len(monitored.records_until("refused", 2)) == 2


def test_a_filter_leaves_the_calls_of_a_method_and_their_replies(tmp_path: Path) -> None:
    options = ("--lines", "--filter", "*.Get")
    with played(tmp_path) as service, monitor(service.address, tmp_path, *options) as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.sendall(SWITCH.replace(b',"upgrade":true', b"") + GET + PUT)
            end.sendall(b"{}\0" + DONE)
            received(client, 3 + len(DONE))
        records = monitored.records_until("end")
    assert kinds(records) == ["open", "call", "reply", "end"]
    assert (records[1]["call"], records[2]["call"]) == (2, 2)
    assert records[2]["message"] == {"parameters": {"n": 1}}


def test_a_recording_has_the_lines_and_the_screen_shows_text(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with played(tmp_path) as service, monitor(service.address, tmp_path, "-o", str(path)) as monitored:
        with connected(monitored.address) as client, service.accept() as end:
            client.sendall(GET.replace(b"Get", b"Get\\n\\u001b") + PUT)
            end.sendall(b'{"error":"org.example.No","parameters":{"why":"\xc2\x9b"}}\0' + DONE)
            client.recv(1)
        lines = monitored.lines_until(lambda lines: "closed by" in lines[-1])
        assert monitored.stop(signal.SIGTERM)[0] == 0
    assert "org.example.Get\\n\\u001b" in lines[2]
    assert '{"n":1}' in lines[2]
    assert "oneway" in lines[3]
    assert "error org.example.No" in lines[4]
    assert " ms " in lines[4]
    assert "\\u009b" in lines[4]
    assert "It answers no call." in lines[5]
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert kinds(records) == ["start", "open", "call", "call", "reply", "reply", "end"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_payloads_are_left_out_indented_or_whole(tmp_path: Path) -> None:
    call = b'{"method":"org.example.Get","parameters":{"text":"%s"}}\0' % (b"x" * 1000)

    def shown(*options: str) -> str:
        with played(tmp_path) as service, monitor(service.address, tmp_path, *options) as monitored:
            with connected(monitored.address) as client:
                client.sendall(call)
                client.shutdown(socket.SHUT_WR)
                with service.accept() as end:
                    received(end, len(call))
            monitored.lines_until(lambda lines: "closed" in lines[-1])
            os.unlink(tmp_path / "played")
            return monitored.stop()[1]

    assert "xxx" not in shown("--no-payload")
    assert "x" * 1000 in shown("--full")
    assert '    {\n      "text": "xxx' in shown("--pretty")


def test_colours_are_for_terminals(more: str, tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/monitor"
    with on_terminal("monitor", more, "--listen", address) as terminal:
        terminal.read_until("Listening")
        printed("call", address, "org.example.more.Ping", '{"ping": "hello"}')
        text = terminal.read_until("closed by the client")
        assert "\x1b[36morg.example.more.Ping\x1b[0m" in text
        terminal.type("\x03")
        status, _ = terminal.finish()
    assert status == 0
    assert not os.path.exists(tmp_path / "monitor")


def test_it_ends_when_nobody_reads_its_output(more: str, tmp_path: Path) -> None:
    with monitor(more, tmp_path) as monitored:
        assert monitored.process.stdout is not None
        monitored.process.stdout.close()
        with connected(monitored.address):
            assert monitored.process.wait(60) == 141
    assert not os.path.exists(tmp_path / "monitor")


def test_connections_that_are_open_are_closed_at_its_end(tmp_path: Path) -> None:
    with (
        played(tmp_path) as service,
        monitor(service.address, tmp_path, "--lines") as monitored,
        connected(monitored.address) as client,
        service.accept() as end,
    ):
        monitored.records_until("open")
        status, text, _ = monitored.stop()
        assert status == 0
        assert client.recv(1) == b""
        assert end.recv(1) == b""
    assert json.loads(text.splitlines()[-1])["kind"] == "end"


def test_mistakes_are_told(more: str, tmp_path: Path) -> None:
    assert refused("monitor", more) == (
        2,
        "varlink monitor: The following arguments are required: -l/--listen. "
        "'varlink monitor --help' tells what it takes.\n",
    )
    assert refused("monitor", more, "--listen", "nowhere")[0] == 2
    assert refused("monitor", "--listen", f"unix:{tmp_path}/m")[0] == 2
    status, sentence = refused("monitor", more, "--listen", more)
    assert (status, "in use" in sentence) == (3, True)
    status, sentence = refused("monitor", more, "--listen", f"unix:{tmp_path}/m", "-o", f"{tmp_path}/no/file")
    assert (status, "cannot be written" in sentence) == (2, True)


def test_many_clients_at_once(more: str, tmp_path: Path) -> None:
    with monitor(more, tmp_path, "--lines", "--no-payload") as monitored:
        words = ("ping", "--flood", "-c", "96", "--connections", "8", "--in-flight", "4", "--json=short")
        assert json.loads(printed(*words, monitored.address))["replies"] == 96
        records = monitored.records_until("end", 8)
    assert kinds(records).count("call") == kinds(records).count("reply") == 96
