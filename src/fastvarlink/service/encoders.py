"""Which JSON encoder a program wants for what its handlers return.

Everybody gets orjson, save programs that bring an encoder of their own: as ``json_encoder_cls``, or by
putting another class in the place of a module's ``VarlinkEncoder``, as some do.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastvarlink import error

# Where the class may have been replaced: each returns the one that stands in its module now.
places: list[Callable[[], type[json.JSONEncoder]]] = [lambda: error.VarlinkEncoder]

_original = error.VarlinkEncoder
_original_default = _original.default


def encoder_function(
    chosen: type[json.JSONEncoder] | None,
) -> Callable[[Any], Any] | None:
    """A function from a result to JSON's own types, by the program's encoder; None without one."""
    if chosen is None:
        chosen = next((cls for place in places if (cls := place()) is not _original), None)
    if chosen is None:
        if _original.default is _original_default:
            return None
        # The method has been replaced instead of the class.
        chosen = _original
    cls = chosen
    return lambda value: json.loads(json.dumps(value, cls=cls))
