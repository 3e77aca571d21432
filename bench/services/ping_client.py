"""Call org.example.ping with the library that the first argument names; print nanoseconds per item.

Usage: ping_client.py fastvarlink|varlink ADDRESS unary SECONDS
       ping_client.py fastvarlink|varlink ADDRESS stream REPLIES
       ping_client.py fastvarlink|varlink ADDRESS echo SECONDS BYTES
       ping_client.py fastvarlink|varlink ADDRESS connect SECONDS
       ping_client.py fastvarlink|varlink ADDRESS latency SECONDS SHARE...
       ping_client.py fastvarlink ADDRESS pipeline SECONDS
       ping_client.py fastvarlink ADDRESS busy SECONDS BUSY_POLL
busy is unary with a busy poll of so many seconds; connect makes a client for each call; latency prints a line
for each share: what so many calls stayed within.
Every answer is compared with what it should be: a wrong one must not look fast.
"""

import importlib
import sys
from functools import partial
from string import ascii_lowercase
from time import perf_counter_ns
from typing import Any

from clock import quantiles, timed

library: Any = importlib.import_module(sys.argv[1])


def text_of(size: int) -> str:
    """Return the alphabet repeated to the given size."""
    return (ascii_lowercase * (size // 26 + 1))[:size]


def call(ping: Any) -> None:
    """Make one small call."""
    if ping.Ping("hello")["pong"] != "hello":
        raise SystemExit("Ping was answered wrongly.")


def connect_and_call(address: str) -> None:
    """Make a client, and the first call with it."""
    with library.Client.new_with_address(address) as client, client.open("org.example.ping") as ping:
        call(ping)


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
    if mode == "busy":
        library.Client.busy_poll = float(numbers[1])
    with (
        library.Client.new_with_address(address) as client,
        client.open("org.example.ping") as ping,
    ):
        if mode in {"unary", "busy"}:
            result = timed(partial(call, ping), float(numbers[0]), 50)
        elif mode == "connect":
            result = timed(partial(connect_and_call, address), float(numbers[0]), 5)
        elif mode == "latency":
            seconds, *shares = map(float, numbers)
            found = quantiles(partial(call, ping), seconds, shares)
            print(*(f"{each:.1f}" for each in found), sep="\n")
            return
        elif mode == "stream":
            result = stream(ping, int(numbers[0]))
        elif mode == "echo":
            result = echo(ping, float(numbers[0]), int(numbers[1]))
        elif mode == "pipeline":
            result = pipeline(client, float(numbers[0]))
        else:
            raise SystemExit(
                f"{mode!r} is no mode; choose unary, busy, connect, latency, stream, echo or pipeline."
            )
    print(f"{result:.1f}")


main()
