"""The class Pipeline: calls that do not wait for each other's replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from fastvarlink._core.interception import Interception
from fastvarlink._core.pipeline import PipelineCarrier
from fastvarlink.client.carried import open_over
from fastvarlink.idl.interface import Interface
from fastvarlink.limits import Limits

__all__ = ["Pipeline"]


class Pipeline:
    """A connection on which many calls are in flight. Client.pipeline() makes it, for a with statement.

        with client.pipeline() as pipeline:
            ping = pipeline.open("org.example.ping")
            one, two = ping.Ping("one"), ping.Ping("two")
        print(one.result()["pong"], two.result()["pong"])

    A call returns a PendingReply at once, and is written together with others. Its result() waits for the
    reply and returns the result, or raises what the call would have raised; at the end of the block all
    replies are there. With ``_more=True`` the result is the list of all replies.
    """

    def __init__(
        self,
        connect: Callable[..., Any],
        definition: Callable[[str], Interface],
        limits: Limits,
        strict: bool,
        timeout: float | None,
        interception: Interception | None = None,
        busy_poll: float = 0.0,
    ) -> None:
        self._interception = interception
        self._connect = connect
        self._definition = definition
        self._limits = limits
        self._strict = strict
        self._timeout = timeout
        self._busy_poll = busy_poll

    def __enter__(self) -> Self:
        self._carrier = PipelineCarrier(
            self._connect, self._limits, self._strict, self._timeout, self._busy_poll
        )
        self._carrier.interception = self._interception
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None:
            self._carrier.finish()
        else:
            self._carrier.abandon()

    def open(self, interface_name: Any, namespaced: bool = False) -> Any:
        """A handler, as Client.open() returns it, whose methods return PendingReplys."""
        return open_over(self._carrier, interface_name, namespaced, self._definition)
