"""A typed client of the sample interface, as it is generated."""

from __future__ import annotations

from typing import Any

import fastvarlink
from wire.sample import DESCRIPTION


class WireClient(fastvarlink.TypedClient, definition=fastvarlink.Definition(DESCRIPTION)):
    """What the tests of this folder call."""

    def Ping(self, text: str, *, _more: bool = False, _oneway: bool = False, _timeout: Any = ...) -> Any:
        return self._invoke("Ping", (text,), _more, _oneway, _timeout)

    def Hold(self, text: str, *, _more: bool = False, _oneway: bool = False, _timeout: Any = ...) -> Any:
        return self._invoke("Hold", (text,), _more, _oneway, _timeout)
