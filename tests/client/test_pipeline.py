"""Calls that do not wait for each other's replies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import fastvarlink
from core.serving import Background
from fastvarlink import DeadlineExceeded
from fastvarlink.error import ConnectionBusy, ConnectionLost, EncodingError, ForkDetected
from wire.sample import DESCRIPTION, INTERFACE, RunningServer

from .typed import WireClient


def test_calls_of_several_handlers_are_answered_each(client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        typed = pipeline.open(WireClient)
        spaced = pipeline.open(INTERFACE, namespaced=True)
        service = pipeline.open("org.varlink.service")
        replies = [handler.Ping("a"), typed.Ping("b"), spaced.Ping("c"), service.GetInfo(), handler.Big(3)]
    assert all(reply.done for reply in replies)
    a, b, c, info, big = (reply.result() for reply in replies)
    assert (a, b, c.text, big) == ({"text": "a"}, {"text": "b"}, "c", {"text": "xxx"})
    assert INTERFACE in info["interfaces"]


def test_a_result_may_be_asked_for_inside_in_any_order(client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        a, b = handler.Ping("a"), handler.Ping("b")
        assert not a.done
        assert b.result() == {"text": "b"}
        assert a.done
        assert a.result() == {"text": "a"}
        c = handler.Ping("c")
        assert a.result() == {"text": "a"}
        assert c.result() == {"text": "c"}


def test_an_error_is_that_of_its_call_alone(client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Ping("a"), handler.Fail("why", 7), handler.Unwritten(), handler.Ping("b")]
    assert replies[0].result() == {"text": "a"}
    for _ in range(2):
        with pytest.raises(handler.Failed) as failed:
            replies[1].result()
        assert failed.value.parameters() == {"reason": "why", "code": 7}
    with pytest.raises(fastvarlink.MethodNotImplemented):
        replies[2].result()
    assert replies[3].result() == {"text": "b"}


def test_what_cannot_be_sent_is_raised_at_the_call(server: RunningServer) -> None:
    limits = fastvarlink.Limits(max_message_size=1000)
    with fastvarlink.Client(server.address, limits=limits) as client, client.pipeline() as pipeline:
        # What the service would tell of it is larger than the limit.
        client.add_interface(fastvarlink.Interface(DESCRIPTION))
        handler = pipeline.open(INTERFACE)
        before = handler.Ping("a")
        with pytest.raises(fastvarlink.InvalidParameter):
            handler.Ping(1)
        with pytest.raises(EncodingError):
            handler.Swallow({"value": float("nan")})
        with pytest.raises(fastvarlink.error.MessageTooLarge):
            handler.Ping("x" * 1000)
        with pytest.raises(fastvarlink.error.MessageTooLarge):
            handler.Ping("x" * 1000, _oneway=True)
        behind = handler.Ping("b")
        assert (before.result(), behind.result()) == ({"text": "a"}, {"text": "b"})


@pytest.mark.parametrize(("count", "size"), [(5000, 1), (300, 20_000), (12, 1_000_000)])
def test_any_number_of_calls_makes_progress(client: fastvarlink.Client, count: int, size: int) -> None:
    """Neither side reads while the other writes, unless both do."""
    filler = "x" * size
    with client.pipeline(timeout=60) as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Ping(f"{i} {filler}") for i in range(count)]
    assert [reply.result()["text"] for reply in replies] == [f"{i} {filler}" for i in range(count)]


def test_results_that_nobody_keeps_need_no_memory(client: fastvarlink.Client) -> None:
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        for _ in range(400):
            handler.Big(1_000_000)
    assert peak_memory() - before < 200 << 20


def peak_memory() -> int:
    """The most memory, in bytes, that the process has had since that was forgotten."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


def test_oneway_calls_are_done_when_they_are_written(
    server: RunningServer, client: fastvarlink.Client
) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        first = handler.Record("0", _oneway=True)
        assert not first.done
        assert first.result() is None
        assert first.done
        others = [handler.Record(f"{i} {'x' * 1000}", _oneway=True) for i in range(1, 500)]
        last = handler.Ping("last")
        assert last.result() == {"text": "last"}
        assert all(other.done for other in others)
    assert [text.split()[0] for text in server.state.recorded] == [str(i) for i in range(500)]


def test_only_oneway_calls(server: RunningServer, client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        replies = [handler.Record("x", _oneway=True) for _ in range(20_000)]
    assert [reply.result() for reply in replies] == [None] * 20_000
    with client.open(INTERFACE) as other:
        other.Ping("x")


def test_a_stream_is_a_list(client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        count, failing, ping = (
            handler.Count(500, _more=True),
            handler.CountAndFail(_more=True),
            handler.Ping("x"),
        )
        assert ping.result() == {"text": "x"}
    assert count.result() == [{"i": i} for i in range(500)]
    with pytest.raises(handler.Failed):
        failing.result()


def test_what_a_pipeline_cannot_do_is_refused(client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        for options in ({"_upgrade": True}, {"_descriptors": fastvarlink.Descriptors()}, {"_timeout": 1}):
            with pytest.raises(TypeError, match="was called in a pipeline"):
                handler.Ping("x", **options)
        with pytest.raises(TypeError, match="neither the name of an interface nor"):
            pipeline.open(fastvarlink.AsyncTypedClient)
        with pytest.raises(fastvarlink.InterfaceNotFound):
            pipeline.open("org.example.missing")
        assert handler.Ping("x").result() == {"text": "x"}


def test_an_exception_drops_what_is_not_written(server: RunningServer, client: fastvarlink.Client) -> None:
    with pytest.raises(KeyError), client.pipeline() as pipeline:  # noqa: PT012  (a block of statements is it)
        handler = pipeline.open(INTERFACE)
        answered = handler.Ping("x")
        assert answered.result() == {"text": "x"}
        pending = [handler.Record("dropped"), handler.Record("dropped", _oneway=True)]
        raise KeyError
    assert answered.result() == {"text": "x"}
    for reply in pending:
        assert reply.done
        with pytest.raises(ConnectionLost, match=r"Record was not answered\. .* left by an exception"):
            reply.result()
    with pytest.raises(ConnectionLost, match="takes no more calls"):
        handler.Ping("x")
    assert server.state.recorded == []


def test_the_time_of_a_pipeline_is_for_all_of_it(server: RunningServer, client: fastvarlink.Client) -> None:
    client.get_interface(INTERFACE)
    with (  # noqa: PT012  (the end of the block raises it)
        pytest.raises(DeadlineExceeded, match="Hold was not answered within"),
        client.pipeline(timeout=0.5) as pipeline,
    ):
        handler = pipeline.open(INTERFACE)
        first, held, behind = handler.Ping("x"), handler.Hold("y"), handler.Ping("z")
    assert first.result() == {"text": "x"}
    for reply, method in ((held, "Hold"), (behind, "Ping")):
        with pytest.raises(DeadlineExceeded, match=f"{method} was not answered within 0.5 seconds"):
            reply.result()


def test_the_time_of_a_pipeline_is_that_of_its_client(server: RunningServer) -> None:
    with fastvarlink.Client(server.address, timeout=0.05) as client:
        with client.pipeline() as pipeline:
            held = pipeline.open(WireClient).Hold("x")
            with pytest.raises(DeadlineExceeded, match=r"Hold was not answered within 0\.05"):
                held.result()
        server.state.gate.set()
        with client.pipeline(timeout=None) as pipeline:
            held = pipeline.open(WireClient).Hold("x")
        assert held.result() == {"text": "x"}


def test_a_pipeline_belongs_to_one_thread_at_a_time(
    server: RunningServer, client: fastvarlink.Client
) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        ready, held = handler.Ping("x"), handler.Hold("x")
        assert ready.result() == {"text": "x"}
        waiting = Background(held.result)
        server.state.wait_for_arrival()
        with pytest.raises(ConnectionBusy, match="one thread at a time"):
            handler.Ping("y")
        with pytest.raises(ConnectionBusy, match="one thread at a time"):
            held.result()
        assert ready.result() == {"text": "x"}
        server.state.gate.set()
        assert waiting.result() == {"text": "x"}
        assert Background(lambda: handler.Ping("z").result()).result() == {"text": "z"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks beside threads
def test_a_fork_leaves_the_pipeline_to_its_parent(client: fastvarlink.Client) -> None:
    with client.pipeline() as pipeline:
        handler = pipeline.open(INTERFACE)
        reply = handler.Ping("x")
        child = os.fork()
        if child == 0:
            try:
                handler.Ping("y")
            except ForkDetected:
                pipeline.__exit__(KeyError, KeyError(), None)
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    assert reply.result() == {"text": "x"}


def test_pipelines_of_many_threads(client: fastvarlink.Client) -> None:
    def run(name: str) -> bool:
        with client.pipeline() as pipeline:
            handler = pipeline.open(INTERFACE)
            replies = [handler.Ping(f"{name} {i}") for i in range(1000)]
        return [reply.result()["text"] for reply in replies] == [f"{name} {i}" for i in range(1000)]

    threads = [Background(run, f"thread {i}") for i in range(4)]
    assert all(thread.result() for thread in threads)
