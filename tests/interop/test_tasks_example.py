"""The example of a service that is declared in Python, its generated client, and systemd's varlinkctl."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from peers import PATIENCE, ROOT
from systemd import VarlinkCtl

EXAMPLES = ROOT / "examples"


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[str]:
    """The address of the example, which runs in a process of its own."""
    address = f"unix:{tmp_path}/tasks"
    command = [sys.executable, str(EXAMPLES / "tasks.py"), f"--varlink={address}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == f"Listening on {address}\n"
    yield address
    process.terminate()
    assert process.wait(PATIENCE) == 0
    process.stdout.close()


def test_what_is_generated_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "tools" / "update_examples.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_generated_client_calls_the_declared_service(tasks: str) -> None:
    command = [sys.executable, str(EXAMPLES / "tasks_client.py"), f"--varlink={tasks}"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Task(id=1, title='Write the interface', state='done', labels=['idl'], after=None)",
        "2: Write the service, after [1]",
        "There is no task 99.",
        "1: done",
        "2: open",
    ]


def test_varlinkctl_introspects_the_declared_service(tasks: str, varlinkctl: VarlinkCtl) -> None:
    done = varlinkctl("introspect", tasks, "org.example.tasks")
    assert done.returncode == 0, done.stderr
    wanted = (EXAMPLES / "org.example.tasks.varlink").read_text()
    assert words(done.stdout) == words(wanted)
    assert "org.example.tasks" in varlinkctl("list-interfaces", tasks).stdout.split()


def words(text: str) -> list[str]:
    """What a definition says, whatever its layout and the order of its types."""
    return sorted(re.findall(r"[^\s(),]+", text))


def test_varlinkctl_calls_the_declared_service(tasks: str, varlinkctl: VarlinkCtl) -> None:
    call = ("call", "--json=short", tasks)
    done = varlinkctl(*call, "org.example.tasks.Add", '{"title":"a","labels":["x"]}')
    assert json.loads(done.stdout) == {"task": {"id": 1, "title": "a", "state": "open", "labels": ["x"]}}
    varlinkctl(*call, "org.example.tasks.Add", '{"title":"b"}')
    done = varlinkctl("call", "--more", "--json=short", tasks, "org.example.tasks.List", "{}")
    # A record separator stands before each of several replies.
    replies = [json.loads(line) for line in done.stdout.replace("\x1e", "").splitlines()]
    assert [reply["task"]["title"] for reply in replies] == ["a", "b"]
    done = varlinkctl(*call, "org.example.tasks.SetState", '{"id":7,"state":"done"}')
    assert done.returncode != 0
    assert "org.example.tasks.NoSuchTask" in done.stderr + done.stdout
    done = varlinkctl(*call, "org.example.tasks.SetState", '{"id":1,"state":"lost"}')
    assert json.loads(done.stdout) == {"parameter": "state"}
