"""Names, signatures and attributes."""

from __future__ import annotations

import builtins
import importlib
import inspect
import json
import os
import re
import socketserver
import subprocess
import sys
from collections import OrderedDict
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import fastvarlink
import fastvarlink.client
import fastvarlink.error
import fastvarlink.scanner
import fastvarlink.server

from .sample import DESCRIPTION, INTERFACE, make_service

PUBLIC = [
    "Client",
    "ClientInterfaceHandler",
    "SimpleClientInterfaceHandler",
    "Service",
    "RequestHandler",
    "Server",
    "ThreadingServer",
    "ForkingServer",
    "InterfaceNotFound",
    "MethodNotFound",
    "MethodNotImplemented",
    "InvalidParameter",
    "VarlinkEncoder",
    "VarlinkError",
    "Interface",
    "Scanner",
    "get_listen_fd",
]


def parameters(function: Any) -> list[tuple[str, Any]]:
    """The positional parameters of a function, with their defaults."""
    return [
        (parameter.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and parameter.name != "self"
    ]


NONE = inspect.Parameter.empty


@pytest.mark.parametrize("name", PUBLIC)
def test_the_package_exports(name: str) -> None:
    assert name in fastvarlink.__all__
    assert hasattr(fastvarlink, name)


def test_load_tests_can_be_imported() -> None:
    assert callable(fastvarlink.load_tests)  # type: ignore[attr-defined]
    assert "load_tests" not in fastvarlink.__all__
    assert [name for name, _ in parameters(fastvarlink.load_tests)] == [  # type: ignore[attr-defined]
        "loader",
        "tests",
        "pattern",
    ]


@pytest.mark.parametrize("module", ["client", "server", "scanner", "error", "mock", "cli"])
def test_submodules_can_be_imported(module: str) -> None:
    importlib.import_module(f"fastvarlink.{module}")


@pytest.mark.parametrize("module", ["client", "error", "scanner", "server"])
def test_importing_the_package_is_enough_for(module: str) -> None:
    code = f"import fastvarlink; fastvarlink.{module}"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_connection_errors_are_the_builtins() -> None:
    for module in (fastvarlink, fastvarlink.error, fastvarlink.client):
        assert module.ConnectionError is builtins.ConnectionError
        assert module.BrokenPipeError is builtins.BrokenPipeError


def test_the_definition_of_the_base_interface_is_package_data() -> None:
    text = resources.files("fastvarlink").joinpath("org.varlink.service.varlink").read_text()
    interface = fastvarlink.Interface(text)
    assert interface.name == "org.varlink.service"
    errors = [m.name for m in interface.members.values() if isinstance(m, fastvarlink.scanner._Error)]
    assert {"InterfaceNotFound", "MethodNotFound", "MethodNotImplemented", "InvalidParameter"} <= set(errors)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (fastvarlink.VarlinkError, [("message", NONE), ("namespaced", False)]),
        (fastvarlink.VarlinkError.new, [("message", NONE), ("namespaced", False)]),
        (fastvarlink.VarlinkError.parameters, [("namespaced", False)]),
        (fastvarlink.InterfaceNotFound, [("interface", NONE)]),
        (fastvarlink.MethodNotFound, [("method", NONE)]),
        (fastvarlink.MethodNotImplemented, [("method", NONE)]),
        (fastvarlink.InvalidParameter, [("name", NONE)]),
        (fastvarlink.Scanner, [("string", NONE)]),
        (fastvarlink.Scanner.get, [("expected", NONE)]),
        (fastvarlink.Scanner.expect, [("expected", NONE)]),
        (fastvarlink.Scanner.read_type, [("lastmaybe", False)]),
        (fastvarlink.Interface, [("description", NONE)]),
        (fastvarlink.Interface.get_method, [("name", NONE)]),
        (
            fastvarlink.Interface.filter_params,
            [(n, NONE) for n in ("parent_name", "varlink_type", "_namespaced", "args", "kwargs")],
        ),
        (fastvarlink.ClientInterfaceHandler, [("interface", NONE), ("namespaced", False)]),
        (
            fastvarlink.SimpleClientInterfaceHandler,
            [("interface", NONE), ("file_or_socket", NONE), ("namespaced", False)],
        ),
        (
            fastvarlink.Client,
            [("address", None), ("resolve_interface", None), ("resolver", None)],
        ),
        (fastvarlink.Client.new_with_activate, [("argv", NONE)]),
        (fastvarlink.Client.new_with_bridge, [("argv", NONE)]),
        (fastvarlink.Client.new_with_address, [("address", NONE)]),
        (
            fastvarlink.Client.new_with_resolved_interface,
            [("interface", NONE), ("resolver_address", None)],
        ),
        (
            fastvarlink.Client.open,
            [("interface_name", NONE), ("namespaced", False), ("connection", None)],
        ),
        (fastvarlink.Client.get_interfaces, [("socket_connection", None)]),
        (fastvarlink.Client.add_interface, [("interface", NONE)]),
        (fastvarlink.client.pipe_bridge, [("reader", NONE), ("writer", NONE)]),
        (
            fastvarlink.Service,
            [
                ("vendor", ""),
                ("product", ""),
                ("version", ""),
                ("url", ""),
                ("interface_dir", "."),
                ("namespaced", False),
            ],
        ),
        (fastvarlink.Service.handle, [("message", NONE), ("_server", None), ("_request", None)]),
        (
            fastvarlink.Service._handle,
            [("message", NONE), ("raw_message", NONE), ("_server", None), ("_request", None)],
        ),
        (fastvarlink.Service._add_interface, [("filename", NONE), ("handler", NONE)]),
        (fastvarlink.Service._set_interface, [("filename", NONE), ("interface_class", NONE)]),
        (fastvarlink.Service.interface, [("filename", NONE)]),
        (fastvarlink.Service.GetInterfaceDescription, [("interface", NONE)]),
        (
            fastvarlink.Server,
            [("server_address", NONE), ("RequestHandlerClass", NONE), ("bind_and_activate", True)],
        ),
        (
            fastvarlink.ThreadingServer,
            [("server_address", NONE), ("RequestHandlerClass", NONE), ("bind_and_activate", True)],
        ),
        (
            fastvarlink.ForkingServer,
            [("server_address", NONE), ("RequestHandlerClass", NONE), ("bind_and_activate", True)],
        ),
        (fastvarlink.get_listen_fd, []),
    ],
)
def test_signatures(function: Any, expected: list[tuple[str, Any]]) -> None:
    assert parameters(function)[: len(expected)] == expected
    # What comes on top must not be needed.
    assert all(default is not NONE for _, default in parameters(function)[len(expected) :])


def test_the_encoder_is_a_keyword_of_the_service() -> None:
    parameter = inspect.signature(fastvarlink.Service).parameters["json_encoder_cls"]
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default is None


def test_attributes_of_a_service(tmp_path: Path) -> None:
    service = make_service(tmp_path, namespaced=True)
    assert (service.vendor, service.product, service.version) == ("Example", "Drop-in", "7")
    assert (service.url, service.interface_dir) == ("https://example.org/", str(tmp_path))
    assert service._namespaced is True
    assert list(service.interfaces) == ["org.varlink.service", INTERFACE]
    assert isinstance(service.interfaces[INTERFACE], fastvarlink.Interface)
    assert service.interfaces_handlers["org.varlink.service"] is service


def test_attributes_of_a_client() -> None:
    with fastvarlink.Client() as client:
        assert list(client._interfaces) == ["org.varlink.service"]
        assert client._socket is None
        assert client._socket_fn is None
        assert client._tmpdir is None
        assert client._child_pid == 0
        assert str(client) == client._str == "Client<uninitialized>"
        assert not hasattr(client, "close")
        assert client._get_base_interface().name == "org.varlink.service"
    assert fastvarlink.Client.handler is fastvarlink.SimpleClientInterfaceHandler


def test_attributes_of_the_server_classes() -> None:
    for cls in (fastvarlink.Server, fastvarlink.ThreadingServer, fastvarlink.ForkingServer):
        assert issubclass(cls, fastvarlink.Server)
        assert issubclass(cls, socketserver.BaseServer)
        assert isinstance(cls.address_family, int)
        assert isinstance(cls.socket_type, int)
        assert cls.request_queue_size >= 5
        assert cls.allow_reuse_address is True
    assert issubclass(fastvarlink.RequestHandler, socketserver.StreamRequestHandler)
    assert fastvarlink.RequestHandler.service is None


def test_attributes_of_an_interface() -> None:
    interface = fastvarlink.Interface(DESCRIPTION)
    assert interface.description == DESCRIPTION
    assert interface.get_description() == DESCRIPTION
    assert interface.name == INTERFACE
    assert "What the tests of the drop-in call." in interface.doc
    assert isinstance(interface.members, OrderedDict)
    assert list(interface.members)[:3] == ["Point", "Level", "Echo"]
    method = interface.get_method("Count")
    assert isinstance(method, fastvarlink.scanner._Method)
    assert list(method.in_type.fields) == ["to"]
    assert method.signature == "Count(to: int) -> (number: int)"
    with pytest.raises(fastvarlink.MethodNotFound):
        interface.get_method("Point")
    with pytest.raises(fastvarlink.MethodNotFound):
        interface.get_method("Nope")


def test_attributes_of_a_scanner() -> None:
    scanner = fastvarlink.Scanner(DESCRIPTION)
    for name in ("whitespace", "docstring", "method_signature", "keyword_pattern"):
        assert isinstance(getattr(scanner, name), re.Pattern)
    assert {"interface-name", "member-name", "identifier"} <= set(scanner.patterns)
    assert (scanner.string, scanner.pos, scanner.current_doc) == (DESCRIPTION, 0, "")
    scanner.expect("interface")
    assert scanner.expect("interface-name") == INTERFACE
    assert not scanner.end()
    assert scanner.read_member().name == "Point"


def test_the_base_class_of_encoders_is_jsons() -> None:
    assert issubclass(fastvarlink.VarlinkEncoder, json.JSONEncoder)
    assert hasattr(os, "fork") == hasattr(fastvarlink, "ForkingServer")
