"""Call org.example.ping with the library that the first argument names; print nanoseconds per item.

Usage: ping_client.py fastvarlink|varlink ADDRESS unary SECONDS
       ping_client.py fastvarlink|varlink ADDRESS stream REPLIES
       ping_client.py fastvarlink|varlink ADDRESS echo SECONDS BYTES
       ping_client.py fastvarlink ADDRESS pipeline SECONDS
Every answer is compared with what it should be: a wrong one must not look fast.
"""

import importlib
import sys
from collections.abc import Callable
from string import ascii_lowercase
from time import perf_counter_ns
from typing import Any

library: Any = importlib.import_module(sys.argv[1])


def text_of(size: int) -> str:
    """Return the alphabet repeated to the given size."""
    return (ascii_lowercase * (size // 26 + 1))[:size]


def timed(once: Callable[[], None], seconds: float, batch: int) -> float:
    """Run batches until the seconds have passed, after a fifth of them to warm up.

    With no seconds at all there is one run and no warming up. Returns nanoseconds per run.
    """
    if seconds:
        warm = perf_counter_ns() + seconds * 1e9 / 5
        while perf_counter_ns() < warm:
            once()
    done = 0
    begin = now = perf_counter_ns()
    while done == 0 or now - begin < seconds * 1e9:
        for _ in range(batch):
            once()
        done += batch
        now = perf_counter_ns()
    return (now - begin) / done


def unary(ping: Any, seconds: float) -> float:
    """Return nanoseconds per small call."""

    def once() -> None:
        if ping.Ping("hello")["pong"] != "hello":
            raise SystemExit("Ping was answered wrongly.")

    return timed(once, seconds, 50)


def stream(ping: Any, replies: int) -> float:
    """Return nanoseconds per reply of one stream; a short stream before it warms up."""
    for _ in ping.Count(100, _more=True):
        pass
    expected = 0
    begin = perf_counter_ns()
    for reply in ping.Count(replies, _more=True):
        if reply["i"] != expected:
            raise SystemExit(f"Reply {expected} of the stream was {reply!r}.")
        expected += 1
    taken = perf_counter_ns() - begin
    if expected != replies:
        raise SystemExit(f"The stream ended after {expected} of {replies} replies.")
    return taken / replies


def echo(ping: Any, seconds: float, size: int) -> float:
    """Return nanoseconds per echo of a text of the given size."""
    text = text_of(size)

    def once() -> None:
        if ping.Echo(text)["text"] != text:
            raise SystemExit("Echo was answered wrongly.")

    return timed(once, seconds, 1)


def pipeline(client: Any, seconds: float) -> float:
    """Return nanoseconds per small call, in pipelines of 1,000."""

    def once() -> None:
        with client.pipeline() as calls:
            ping = calls.open("org.example.ping")
            replies = [ping.Ping("hello") for _ in range(1000)]
        if any(reply.result()["pong"] != "hello" for reply in replies):
            raise SystemExit("Ping was answered wrongly.")

    return timed(once, seconds, 1) / 1000


def main() -> None:
    """Open the interface, measure as asked and print the figure."""
    _, _, address, mode, *numbers = sys.argv
    with (
        library.Client.new_with_address(address) as client,
        client.open("org.example.ping") as ping,
    ):
        if mode == "unary":
            result = unary(ping, float(numbers[0]))
        elif mode == "stream":
            result = stream(ping, int(numbers[0]))
        elif mode == "echo":
            result = echo(ping, float(numbers[0]), int(numbers[1]))
        elif mode == "pipeline":
            result = pipeline(client, float(numbers[0]))
        else:
            raise SystemExit(f"{mode!r} is no mode; choose unary, stream, echo or pipeline.")
    print(f"{result:.1f}")


main()
