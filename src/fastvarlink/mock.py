"""A fake service for the tests of a client, made from a plain class.

The class's methods become the interface: their annotations the parameters, their docstrings the
replies. The service runs in a process of its own::

    class Weather:
        def Ask(self, town: str) -> str:
            '''return sky: string'''
            return {"sky": "blue"}

    @mockedservice(fake_service=Weather, name="org.example.weather", address="unix:@weather")
    def test_my_client():
        with fastvarlink.Client("unix:@weather") as client:
            assert client.open("org.example.weather").Ask(town="Ulm")["sky"] == "blue"

A docstring says ``return NAME: TYPE``, ``return NAME`` with the type taken from the annotation, or
``return (NAME: TYPE, NAME: TYPE)``. A method annotated ``-> None`` returns nothing.
"""

from __future__ import annotations

import functools
import inspect
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self

import fastvarlink

__all__ = [
    "MockedService",
    "MockedServiceProcess",
    "cast_type",
    "generate_callable_interface",
    "get_ignored",
    "get_interface_attributs",
    "mockedservice",
    "service_generator",
]

# How long a mocked service may take to listen, in seconds. An import on a busy machine is slow.
PATIENCE = 30.0
# Tells the mocked service which descriptor to write to when it listens.
READY = "FASTVARLINK_MOCK_READY"
CASTS = {"str": "string", "dict": "object"}


def cast_type(typeof: Any) -> str:
    """The Varlink type for a Python annotation, or for its name; unknown names stay as they are."""
    name = typeof.__name__ if isinstance(typeof, type) else str(typeof)
    name = name.removeprefix("<class '").removesuffix("'>")
    return CASTS.get(name, name)


def get_ignored() -> list[str]:
    """Attributes of a mocked class that are not part of its interface."""
    return dir(MockedService)


def get_interface_attributs(interface: Any, ignored: list[str]) -> dict[str, list[str]]:
    """The names of a class's methods ("callables") and of its other attributes ("others")."""
    names = [name for name in dir(interface) if name not in ignored]
    callables = [name for name in names if callable(getattr(interface, name))]
    return {"callables": callables, "others": [name for name in names if name not in callables]}


def generate_callable_interface(interface: Any, attr: str) -> str:
    """The Varlink declaration of a method. Raises ValueError if its docstring says too little."""
    method = getattr(interface, attr)
    signature = inspect.signature(method)
    parameters = ", ".join(
        f"{name}: {cast_type(parameter.annotation)}"
        for name, parameter in signature.parameters.items()
        if name != "self"
    )
    returned = _declared_reply(attr, method.__doc__ or "", signature.return_annotation)
    return f"method {attr}({parameters}) -> ({returned})"


def _declared_reply(method: str, doc: str, annotation: Any) -> str:
    """The fields of a method's reply, as its docstring and annotation give them."""
    if annotation is None or annotation == "None":
        return ""
    _, _, fields = f" {' '.join(doc.split())}".rpartition(" return ")
    fields = fields.strip()
    if fields.startswith("(") and fields.endswith(")"):
        fields = fields[1:-1].strip()
    if not fields or (":" not in fields and annotation is inspect.Signature.empty):
        raise ValueError(
            f"The docstring of {method} does not say what it returns; "
            "write 'return NAME: TYPE' into it, or annotate the method with '-> None'."
        )
    return fields if ":" in fields else f"{fields}: {cast_type(annotation)}"


class MockedServiceProcess:
    """What runs in the service's process. The generated script sets the attributes."""

    address: str = ""
    vendor: Any = None
    product: Any = None
    version: Any = None
    url: Any = None
    interface: str | None = None
    interface_file: str = ""
    interface_name: str | None = None
    interface_content: str | None = None
    service_to_mock: Any = None

    def run(self) -> None:
        """Serve until SIGTERM."""
        service = fastvarlink.Service(
            vendor=self.vendor, product=self.product, version=str(self.version), url=self.url
        )
        service._set_interface(self.interface_file, self.service_to_mock())

        class Handler(fastvarlink.RequestHandler):
            pass

        Handler.service = service

        def stop(_number: int, _frame: FrameType | None) -> NoReturn:
            raise SystemExit(0)

        signal.signal(signal.SIGTERM, stop)
        with fastvarlink.ThreadingServer(self.address, Handler) as server:
            ready = os.environ.pop(READY, None)
            if ready is not None:
                os.write(int(ready), b"\n")
                os.close(int(ready))
            server.serve_forever()


def service_generator(
    service: type, info: dict[str, dict[str, Any]], filename: str = "mockedservice.py"
) -> None:
    """Write the script of a mocked service.

    info gives the attributes of its MockedServiceProcess: ``{"value": V, "type": "raw"}`` is put in
    as the expression V, any other type as the string V.
    """
    lines = [
        '"""A mocked Varlink service, generated for tests."""',
        "",
        "import fastvarlink",
        "",
        "fastvarlink.install()",
        "",
        "import varlink",
        "from fastvarlink.mock import MockedServiceProcess",
        "",
        "",
        textwrap.dedent(inspect.getsource(service)),
        "",
        "if __name__ == '__main__':",
        "    process = MockedServiceProcess()",
    ]
    for name, given in info.items():
        value = given["value"] if given["type"] == "raw" else repr(given["value"])
        lines.append(f"    process.{name} = {value}")
    lines.append("    process.run()")
    Path(filename).write_text("\n".join(lines) + "\n", encoding="utf-8")


class MockedService:
    """A mocked service as a context manager: it can be called inside the ``with`` block.

    service is the class to mock, types the Varlink types that its interface needs. The interface is
    called name, or else like the last part of the class's module. Entering raises RuntimeError when
    the service does not come up.
    """

    def __init__(
        self,
        service: type,
        types: str | None,
        address: str = "unix:@test",
        name: str | None = None,
        vendor: str = "varlink",
        product: str = "mock",
        version: int | str = 1,
        url: str = "http://localhost",
    ) -> None:
        self.name = name or service.__module__.rpartition(".")[2]
        self.identifier = str(uuid.uuid4())
        self.interface_description: list[str] = []
        self.service = service
        self.types = types
        self.address = address
        self.vendor = vendor
        self.product = product
        self.version = version
        self.url = url
        self._folder = tempfile.mkdtemp(prefix="varlink-mock-")
        # A service that is never entered leaves no folder behind either.
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self.mocked_service_file = os.path.join(self._folder, f"{self.identifier}.py")
        self.service_pid: subprocess.Popen[bytes] | None = None
        self.service_info: dict[str, dict[str, Any]] = {
            "address": {"type": "inherited", "value": address},
            "vendor": {"type": "inherited", "value": vendor},
            "product": {"type": "inherited", "value": product},
            "version": {"type": "inherited", "value": str(version)},
            "url": {"type": "inherited", "value": url},
            "interface_name": {"type": "inherited", "value": self.name},
            "interface_file": {"type": "inherited", "value": self.get_interface_file_path()},
            "service_to_mock": {"type": "raw", "value": service.__name__},
        }
        self.generate_interface()

    def generate_interface(self) -> None:
        """Make the interface, line by line, in ``interface_description``."""
        methods = get_interface_attributs(self.service, get_ignored())["callables"]
        self.interface_description = [
            f"interface {self.name}",
            *(self.types or "").split("\n"),
            *(generate_callable_interface(self.service, method) for method in methods),
        ]

    def get_interface_file_path(self) -> str:
        """Where the interface's description is written for the service to read."""
        return os.path.join(self._folder, self.name)

    def generate_interface_file(self) -> None:
        """Write the interface's description."""
        text = "\n".join(self.interface_description)
        Path(self.get_interface_file_path()).write_text(text, encoding="utf-8")

    def delete_interface_files(self) -> None:
        """Remove the description and the script, if they are there."""
        for path in (self.get_interface_file_path(), self.mocked_service_file):
            Path(path).unlink(missing_ok=True)

    def service_start(self) -> None:
        """Start the service and wait until it listens. Raises RuntimeError if it does not."""
        reader, writer = os.pipe()
        try:
            self.service_pid = subprocess.Popen(
                [sys.executable, self.mocked_service_file],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), READY: str(writer)},
                pass_fds=[writer],
            )
            os.close(writer)
            # Readable when the service has written, and also when it has died.
            readable, _, _ = select.select([reader], [], [], PATIENCE)
            listens = bool(readable) and os.read(reader, 1) != b""
        finally:
            os.close(reader)
        if not listens:
            self.service_stop()
            raise RuntimeError(
                f"The mocked service {self.name} does not listen on {self.address}; "
                "what it wrote to stderr says why."
            )

    def service_stop(self) -> None:
        """End the service and wait for its end."""
        process, self.service_pid = self.service_pid, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        service_generator(self.service, self.service_info, filename=self.mocked_service_file)
        self.generate_interface_file()
        try:
            self.service_start()
        except BaseException:
            self.delete_interface_files()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.service_stop()
        self.delete_interface_files()


def mockedservice(
    fake_service: type,
    fake_types: str | None = None,
    address: str = "unix:@test",
    name: str | None = None,
    vendor: str = "varlink",
    product: str = "mock",
    version: int | str = 1,
    url: str = "http://localhost",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a test: while it runs, fake_service is served. Arguments as for MockedService.

    A BrokenPipeError in the test ends it quietly, as the service may be what it has stopped.
    """

    def decorator(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> None:
            with MockedService(
                fake_service,
                fake_types,
                address=address,
                name=name,
                vendor=vendor,
                product=product,
                version=version,
                url=url,
            ):
                try:
                    func(*args, **kwargs)
                except BrokenPipeError:
                    return

        return wrapper

    return decorator
