"""The verb serve: a service of a module, a file or an installed package, or a command, on the network."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from .command import COMMAND, PATIENCE, on_terminal, printed, refused, run
from .conftest import EXAMPLES
from .serving import serving

GET = "org.example.number.Get"
APP = """
import os, fastvarlink
service = fastvarlink.Service(product="Numbers")
@service.interface("interface org.example.number\\nmethod Get() -> (value: int, pid: int)\\n")
class Number:
    value = 1
    def Get(self): return {"value": self.value, "pid": os.getpid()}
class Holder:
    inner = service
def make(): return service
def fail(): raise ValueError("no luck")
other = fastvarlink.Service()
@fastvarlink.interface("org.example.typed")
class Typed:
    @fastvarlink.method(returns="value")
    def Get(self) -> int: return 2
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def got(address: str, method: str = GET) -> str:
    return printed("call", f"{address}/{method}")


@pytest.mark.parametrize("named", ["app.py:service", "app:make", "app:Holder.inner"])
def test_a_service_is_found_where_its_name_says(named: str, folder: Path) -> None:
    with serving("serve", named, f"--address=unix:{folder}/s", cwd=folder) as program:
        assert '"value":1' in got(program.addresses[0])
        assert program.end() == 0
    assert not (folder / "s").exists()


def test_what_declares_an_interface_is_served_beside_a_service(folder: Path) -> None:
    with serving("serve", "app:Typed", "app:service", f"--address=unix:{folder}/s", cwd=folder) as program:
        (address,) = program.addresses
        assert '"value":1' in got(address)
        assert got(address, "org.example.typed.Get") == '{"value":2}\n'


def test_each_address_is_told_on_a_line_of_its_own(folder: Path) -> None:
    addresses = ["tcp:127.0.0.1:0", "tcp:[::1]:0", "unix:./s;mode=0600", f"unix:@{folder}"]
    words = [f"--address={address}" for address in addresses]
    with serving("app:service", *words, cwd=folder, listening=4) as program:
        assert program.addresses[2:] == [f"unix:{folder}/s", f"unix:@{folder}"]
        assert not any(address.endswith(":0") for address in program.addresses)
        for address in program.addresses:
            assert '"value":1' in got(address)
        assert oct((folder / "s").stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("asked", ["-v", "--log-level=info", "--log-level=debug"])
def test_calls_are_logged_when_that_is_asked_for(asked: str, folder: Path) -> None:
    with serving("serve", asked, "app:service", "--address=tcp:127.0.0.1:0", cwd=folder) as program:
        got(program.addresses[0])
        program.wait_for(f"INFO {GET} from=127.0.0.1:")
        program.wait_for("replies=1 ok")


def test_workers_serve_and_hangup_has_them_load_anew(folder: Path) -> None:
    words = ["serve", "--workers=2", "app:service", f"--address=unix:{folder}/s"]
    with serving(*words, "-v", cwd=folder) as program:
        (address,) = program.addresses
        assert f'"pid":{program.process.pid}' not in got(address)
        (folder / "app.py").write_text(APP.replace("value = 1", "value = 4444"))
        program.process.send_signal(signal.SIGHUP)
        program.wait_for("Reloaded: 2 new workers serve.")
        assert '"value":4444' in got(address)
        (folder / "app.py").write_text("1/0")
        program.process.send_signal(signal.SIGHUP)
        program.wait_for("app.py, line 1: ZeroDivisionError: division by zero.")
        program.wait_for("The reload is given up")
        assert '"value":4444' in got(address)
        assert program.end() == 0


def test_ctrl_c_ends_it(folder: Path) -> None:
    with on_terminal("serve", "app:service", f"--address=unix:{folder}/s", cwd=folder) as terminal:
        terminal.read_until("Listening on")
        terminal.type("\x03")
        assert terminal.finish()[0] == 0
    assert not (folder / "s").exists()


def test_an_idle_service_ends(folder: Path) -> None:
    words = ["serve", "app:service", "--exit-idle=0.05", f"--address=unix:{folder}/s"]
    with serving(*words, cwd=folder) as program:
        assert program.process.wait(PATIENCE) == 0


def test_stdin_and_stdout_are_served(folder: Path) -> None:
    call = f'{{"method":"{GET}"}}\0'.encode()
    done = run("serve", "app:service", "--address=-", given=call, cwd=folder)
    assert done.returncode == 0
    assert done.stdout.startswith(b'{"parameters":{"value":1')


def test_a_socket_that_was_passed_is_served(folder: Path) -> None:
    address = f"unix:{folder}/s"
    start = f"LISTEN_PID=$$ LISTEN_FDS=1 exec {' '.join(COMMAND)} serve app:service"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/s")
        listener.listen()

        def pass_on() -> None:
            os.dup2(listener.fileno(), 3)

        process = subprocess.Popen(
            ["sh", "-c", start],
            cwd=folder,
            stderr=subprocess.PIPE,
            close_fds=False,
            preexec_fn=pass_on,  # noqa: PLW1509  (tests of the command start no threads)
        )
        try:
            assert '"value":1' in got(address)
            process.terminate()
            _, said = process.communicate(timeout=PATIENCE)
            assert said.decode() == f"Listening on {address}\n"
            assert process.returncode == 0
        finally:
            process.kill()
            process.wait()


def test_the_environment_may_name_the_address(folder: Path) -> None:
    with serving("serve", "app:service", cwd=folder, env={"VARLINK_ADDRESS": f"unix:{folder}/v"}) as program:
        assert program.addresses == [f"unix:{folder}/v"]
    words = ["serve", "app:service", "--address=unix:@unused"]
    with serving(*words, cwd=folder, env={"SYSTEMD_VARLINK_LISTEN": f"{folder}/l"}) as program:
        assert program.addresses == [f"unix:{folder}/l"]


# ---- interfaces that installed packages offer


@pytest.fixture
def installed(folder: Path) -> dict[str, str]:
    """The environment in which a package is installed that offers two interfaces."""
    information = folder / "site" / "numbers-2.5.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: numbers-package\nVersion: 2.5\n")
    (information / "entry_points.txt").write_text(
        "[fastvarlink.services]\norg.example.number = app:make\norg.example.typed = app:Typed\n"
        "org.example.broken = app:none\n"
    )
    path = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": f"{folder}/site{os.pathsep}{path}"}


def test_an_interface_that_a_package_offers_is_served_by_its_name(
    folder: Path, installed: dict[str, str]
) -> None:
    with serving("org.example.number", "--address=tcp:127.0.0.1:0", cwd=folder, env=installed) as program:
        assert '"value":1' in got(program.addresses[0])
    with serving("org.example.typed", "--address=tcp:127.0.0.1:0", cwd=folder, env=installed) as program:
        (address,) = program.addresses
        assert got(address, "org.example.typed.Get") == '{"value":2}\n'
        assert "Product: numbers-package\nVersion: 2.5\n" in printed("info", address)


def test_the_interfaces_that_are_offered_are_told(folder: Path, installed: dict[str, str]) -> None:
    done = run("serve", "org.example.none", cwd=folder, env=installed)
    assert done.returncode == 1
    assert b"What is offered: org.example.broken, org.example.number, org.example.typed." in done.stderr
    done = run("serve", "org.example.broken", cwd=folder, env=installed)
    assert b"app:none, which offers org.example.broken, cannot be loaded: AttributeError" in done.stderr


# ---- what cannot be served


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["app:servce"], 1, "app has no 'servce'. It has app:service and app:other."),
        (["app:fail"], 1, "has failed: app.py, line 11: ValueError: no luck."),
        (["app:Holder"], 1, "has returned Holder: that is none"),
        (["app:service", "app:other"], 1, "app:other is a Service, and so is another one"),
        (["app:service", "app:Typed", "app:Typed"], 1, "offers org.example.typed, which is served already."),
        (["none:service"], 1, "There is no module none, neither in "),
        (["ends.py:service"], 1, "ends.py, line 1: it ends the program (SystemExit: 3)."),
        (["bad.py:service"], 1, "bad.py, line 2: SyntaxError: "),
        (["app:service", "--workers=2", "--address=-"], 2, "is served by one process"),
        (["app:service", "--address=nowhere"], 2, "Invalid address 'nowhere'"),
        (["app:service", "--address=tcp:192.0.2.1:80"], 3, "Nothing can listen at tcp:192.0.2.1:80: Cannot"),
        ([], 2, "Nothing is to be served"),
        (["app:service", "--", "cat"], 2, "which is missing"),
        (["--upgrade=Run", "--", "cat"], 2, "'Run' is no method"),
        (
            ["--upgrade=org.example.Cat.Run", "--", "no-such-program"],
            2,
            "There is no program 'no-such-program'",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_told_in_a_sentence(
    words: list[str], status: int, sentence: str, folder: Path
) -> None:
    (folder / "ends.py").write_text("raise SystemExit(3)")
    (folder / "bad.py").write_text("x = 1\ny = (")
    ended, said = refused("serve", *words, cwd=folder)
    assert sentence in said
    assert ended == status


def test_workers_that_cannot_load_the_service_say_why(folder: Path) -> None:
    words = ["serve", "--workers=2", "app:fail", f"--address=unix:{folder}/s"]
    status, sentence = refused(*words, cwd=folder)
    assert status == 1
    assert "app.py, line 11: ValueError: no luck." in sentence
    assert not (folder / "s").exists()


# ---- commands


def test_a_command_has_the_connection_after_an_upgrade(folder: Path) -> None:
    words = ["serve", "--upgrade=org.example.Case.Upper", f"--address=unix:{folder}/s", "--drain=0.1"]
    with serving(*words, "--", "tr", "a-z", "A-Z", cwd=folder) as program:
        (address,) = program.addresses
        assert "method Upper() -> ()" in printed("introspect", f"{address}/org.example.Case")
        assert b"ExpectedUpgrade" in run("call", f"{address}/org.example.Case.Upper").stderr
        for _ in range(2):
            with upgraded(folder) as connection:
                connection.sendall(b"hello")
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(100) == b"HELLO"
                assert connection.recv(100) == b""
        with upgraded(folder) as connection:
            # One that would go on is cut off at the end.
            assert program.end() == 0
            assert connection.recv(100) == b""


def upgraded(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(f"{folder}/s")
    connection.sendall(b'{"method":"org.example.Case.Upper","upgrade":true}\0')
    reply = b""
    while not reply.endswith(b"\0"):
        reply += connection.recv(1)
    assert reply == b"{}\0"
    return connection


# ---- the examples of --help


def test_examples_of_serve_and_mock_serve(tmp_path: Path) -> None:
    for name in ("more.py", "serving.py", "org.example.more.varlink"):
        shutil.copy(EXAMPLES / name, tmp_path)
    for words in (["serve", "more.py:service"], ["mock", "org.example.more.varlink"]):
        with serving(*words, f"--address=unix:{tmp_path}/s", cwd=tmp_path) as program:
            assert "org.example.more" in printed("info", program.addresses[0])
