"""The definition of org.varlink.service, the interface that every service has."""

from __future__ import annotations

import os
from functools import cache

from fastvarlink.idl.interface import Interface

__all__ = ["base_interface", "base_text"]


@cache
def base_text() -> str:
    """The text of the definition."""
    # To import importlib.resources, with tempfile and what that wants, would cost every client.
    place = os.path.join(os.path.dirname(__file__), os.pardir, "org.varlink.service.varlink")
    with open(place, encoding="utf-8") as file:
        return file.read()


@cache
def base_interface() -> Interface:
    """The interface, one for all clients."""
    return Interface.from_specification(base_text())
