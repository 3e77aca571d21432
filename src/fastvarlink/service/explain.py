"""What a caller is told when a call fails, and what the log is told."""

from __future__ import annotations

import logging

import orjson

from fastvarlink.error import EncodingError, MessageTooLarge, ResultMismatch, VarlinkError

# Sent for every failure that is the service's own fault. It says nothing about the inside.
INTERNAL_ERROR = "fastvarlink.service.InternalError"

logger = logging.getLogger("fastvarlink.service")


def explain(method: str | None, failure: Exception) -> tuple[bytes, bytes | None]:
    """The name and the parameters of the error reply for an exception, both as JSON.

    ``method`` is the qualified name of the method that was called, None if it was not found. What is not
    a VarlinkError is logged, and the caller only learns that something went wrong.
    """
    if isinstance(failure, VarlinkError):
        try:
            name, parameters = failure.error(), failure.parameters()
            if not isinstance(name, str) or not isinstance(parameters, dict | None):
                raise TypeError("The name of an error must be a string, its parameters a dict.")
            return orjson.dumps(name), orjson.dumps(parameters) if parameters else None
        except Exception:
            logger.exception("%s raised an error that cannot be sent.", method)
    elif isinstance(failure, ResultMismatch | EncodingError | MessageTooLarge):
        logger.error("%s returned what cannot be sent: %s", method, failure)
    else:
        logger.error("%s failed.", method, exc_info=failure)
    return orjson.dumps(INTERNAL_ERROR), orjson.dumps({"method": method}) if method else None
