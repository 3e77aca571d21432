"""gRPC by grpcio, with generic handlers and JSON by orjson as its payload."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import orjson

METHOD = "/org.example.ping/Ping"


def answer(call: dict[str, str], _context: Any) -> dict[str, str]:
    """Answer with what was given."""
    return {"pong": call["ping"]}


def serve(path: str, ready: Callable[[], None]) -> None:
    """Serve until the process is ended."""
    method = grpc.unary_unary_rpc_method_handler(answer, orjson.loads, orjson.dumps)
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("org.example.ping", {"Ping": method})]
    )
    server.add_insecure_port(f"unix:{path}")
    server.start()
    ready()
    threading.Event().wait()


def connect(path: str) -> tuple[Callable[[str], str], Callable[[str, int], list[str]]]:
    """Return what makes a call, and what makes many."""
    call = grpc.insecure_channel(f"unix:{path}").unary_unary(METHOD, orjson.dumps, orjson.loads)

    def single(text: str) -> str:
        pong: str = call({"ping": text})["pong"]
        return pong

    def many(text: str, count: int) -> list[str]:
        pending = [call.future({"ping": text}) for _ in range(count)]
        return [future.result()["pong"] for future in pending]

    return single, many
