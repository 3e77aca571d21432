"""What a caller is told when a call fails, and what the log is told."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable

import orjson

from fastvarlink._core.schema import Checker, encode
from fastvarlink.error import (
    EncodingError,
    Error,
    InterfaceError,
    InvalidParameter,
    MessageTooLarge,
    ResultMismatch,
    VarlinkError,
)

# Sent for every failure that is the service's own fault. It says nothing about the inside.
INTERNAL_ERROR = "fastvarlink.service.InternalError"

logger = logging.getLogger("fastvarlink.service")


def explain(
    method: str | None,
    failure: Exception,
    checker_of: Callable[[str], Checker | None],
    sensitive: bool = False,
) -> tuple[bytes, bytes | None]:
    """The name and the parameters of the error reply for an exception, both as JSON.

    ``method`` is the qualified name of the method that was called, None if it was not found; ``checker_of``
    has the checker of the parameters of an error, None for one that no interface declares. What is not a
    VarlinkError, or does not fit its declaration (rule P5), is logged, and the caller only learns that
    something went wrong. Of a ``sensitive`` method the log gets no value: not what an exception says, but its
    class, and where it was raised.
    """
    if isinstance(failure, VarlinkError):
        if sensitive and isinstance(failure, InvalidParameter):
            failure = _without_keys(failure)
        try:
            return _reply(method, failure, checker_of)
        except Exception as fault:
            if sensitive:
                _log_without_values(method, fault)
            elif isinstance(fault, Error):
                logger.error("%s raised %s, which cannot be sent: %s", method, failure.error(), fault)
            else:
                logger.exception("%s raised an error that cannot be sent.", method)
    elif sensitive:
        _log_without_values(method, failure)
    elif isinstance(failure, ResultMismatch | EncodingError | MessageTooLarge):
        logger.error("%s returned what cannot be sent: %s", method, failure)
    else:
        logger.error("%s failed.", method, exc_info=failure)
    return orjson.dumps(INTERNAL_ERROR), orjson.dumps({"method": method}) if method else None


def _log_without_values(method: str | None, failure: Exception) -> None:
    where = "".join(traceback.format_tb(failure.__traceback__))
    logger.error(
        "%s failed with %s. What it says is not shown, as the method is sensitive.\n%s",
        method, type(failure).__qualname__, where,
    )  # fmt: skip


def _without_keys(failure: InvalidParameter) -> InvalidParameter:
    """The same for the parameter as a whole: the path in it may have the keys of a map."""
    named = (failure.parameters() or {}).get("parameter")
    if not isinstance(named, str):
        return failure
    return InvalidParameter(re.split(r"[.\[]", named, maxsplit=1)[0])


def _reply(
    method: str | None, failure: VarlinkError, checker_of: Callable[[str], Checker | None]
) -> tuple[bytes, bytes | None]:
    name, parameters = failure.error(), failure.parameters()
    if not isinstance(name, str) or not isinstance(parameters, dict | None):
        raise TypeError("The name of an error must be a string, its parameters a dict.")
    if isinstance(failure, InterfaceError) and "." not in name and method is not None:
        # Nothing has said yet which interface it is of: it is the one whose method raised it.
        name = f"{method.rpartition('.')[0]}.{name}"
    checker = checker_of(name)
    if checker is not None:
        return orjson.dumps(name), checker.give(parameters or {})
    return orjson.dumps(name), encode(parameters) if parameters else None
