"""fastvarlink.mock: a service made from a plain class."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastvarlink
from fastvarlink import mock

TYPES = """
type Sky (
    colour: string,
    clouds: int
)
"""


class Weather:
    """What is mocked here."""

    def Ask(self, town: str) -> str:
        """return sky: Sky"""
        return {"sky": {"colour": f"blue over {town}", "clouds": 0}}  # type: ignore[return-value]

    def Count(self, first: int, second: int) -> int:
        """return total"""
        return {"total": first + second}  # type: ignore[return-value]

    def Both(self, text: str, number: int) -> dict:  # type: ignore[type-arg]
        """
        return (text: string, number: int)
        """
        return {"text": text, "number": number}

    def Forget(self) -> None:
        pass

    def Unsaid(self):  # type: ignore[no-untyped-def]
        pass

    colour = "blue"


@pytest.mark.parametrize(
    ("typeof", "expected"),
    [
        (int, "int"),
        (str, "string"),
        (bool, "bool"),
        (float, "float"),
        (dict, "object"),
        ("<class 'str'>", "string"),
        ("str", "string"),
        ("<class 'int'>", "int"),
        ("Sky", "Sky"),
    ],
)
def test_annotations_become_types(typeof: object, expected: str) -> None:
    assert mock.cast_type(typeof) == expected


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("Ask", "method Ask(town: string) -> (sky: Sky)"),
        ("Count", "method Count(first: int, second: int) -> (total: int)"),
        ("Both", "method Both(text: string, number: int) -> (text: string, number: int)"),
        ("Forget", "method Forget() -> ()"),
    ],
)
def test_methods_become_declarations(method: str, expected: str) -> None:
    assert mock.generate_callable_interface(Weather, method) == expected
    assert mock.generate_callable_interface(Weather(), method) == expected


def test_a_method_that_does_not_say_what_it_returns() -> None:
    with pytest.raises(ValueError, match="docstring of Unsaid"):
        mock.generate_callable_interface(Weather, "Unsaid")


def test_attributes_are_told_apart() -> None:
    assert mock.get_ignored() == dir(mock.MockedService)
    found = mock.get_interface_attributs(Weather, mock.get_ignored())
    assert found == {
        "callables": ["Ask", "Both", "Count", "Forget", "Unsaid"],
        "others": ["colour"],
    }


class Sample:
    """A class whose source is complete in itself, as a mocked one must be."""

    def Ask(self, town: str) -> str:
        """return sky: Sky"""
        return {"sky": {"colour": f"blue over {town}", "clouds": 0}}  # type: ignore[return-value]

    def Count(self, first: int, second: int) -> int:
        """return total"""
        return {"total": first + second}  # type: ignore[return-value]

    def Forget(self) -> None:
        pass


def test_the_service_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/weather"
    service = mock.MockedService(Sample, TYPES, address=address, name="org.example.weather")
    with service:
        description = Path(service.get_interface_file_path())
        assert description.read_text().startswith("interface org.example.weather\n")
        assert description.parent.stat().st_mode & 0o077 == 0
        with (
            fastvarlink.Client(address) as client,
            client.open("org.example.weather") as weather,
        ):
            assert weather.Ask(town="Ulm") == {"sky": {"colour": "blue over Ulm", "clouds": 0}}
            assert weather.Count(1, 2) == {"total": 3}
            assert weather.Forget() == {}
        process = service.service_pid
        assert process is not None
    assert process.returncode == 0
    assert not description.exists()
    assert not os.path.exists(service.mocked_service_file)


def test_it_can_be_entered_again(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/weather"
    service = mock.MockedService(Sample, TYPES, address=address, name="org.example.weather")
    for _ in range(2):
        with (
            service,
            fastvarlink.Client(address) as client,
            client.open("org.example.weather") as weather,
        ):
            assert weather.Count(1, 2) == {"total": 3}


def test_the_decorator_serves_while_the_test_runs(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/weather"

    @mock.mockedservice(
        fake_service=Sample,
        fake_types=TYPES,
        name="org.example.weather",
        address=address,
        vendor="somebody",
        version=2,
    )
    def a_test(expected: str) -> None:
        with fastvarlink.Client(address) as client:
            client.get_interfaces()
            assert client.info["vendor"] == expected
            assert client.info["version"] == "2"

    a_test("somebody")
    with pytest.raises(AssertionError):
        a_test("nobody")


def test_the_name_defaults_to_the_module() -> None:
    assert mock.MockedService(Sample, TYPES).name == __name__.rpartition(".")[2]


def test_a_service_that_does_not_start_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    service = mock.MockedService(
        Sample, None, address=f"unix:{tmp_path}/no/such/folder", name="org.example.weather"
    )
    with pytest.raises(RuntimeError, match=r"org\.example\.weather does not listen"), service:
        pass
    assert "Error" in capfd.readouterr().err


def test_the_generated_script_needs_nothing_but_fastvarlink(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    mock.service_generator(
        Sample,
        {
            "address": {"type": "inherited", "value": "unix:it's"},
            "service_to_mock": {"type": "raw", "value": "Sample"},
        },
        filename=str(script),
    )
    check = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import script; "
        "assert script.varlink.__name__ == 'fastvarlink'; assert script.Sample"
    )
    subprocess.run([sys.executable, "-c", check], check=True, timeout=60)
    assert 'process.address = "unix:it\'s"' in script.read_text()
