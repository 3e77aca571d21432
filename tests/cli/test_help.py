"""help: the documentation of interfaces and their members, and of verbs."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from .command import printed, refused, run, shown
from .conftest import EXAMPLES
from .describing import describing

PLACES = """# Where things are.
# All of it goes on one page.
interface org.example.Places

# What a place is for.
type Use (
  # Someone lives there.
  home,
  work
)

type Mood (good, bad)

# A place. It may have others in it.
type Place (
  # What it is called.
  name: string,
  use: Use,
  mood: ?Mood,
  inner: []Place,
  address: ?(
    # Without a number.
    street: string,
    floor: int
  )
)

# Adds a place. The rest of the text is not for tables.
#
# It flows when it is long, and it really has to be quite long for that to happen.
# - one
#   indented
# - two
method Add(
  # The one to add.
  place: Place,
  tags: []string,
  name: string,
  weight: float,
  mood: Mood,
  others: ?[]Place
) -> ()

method Clear() -> (count: int)

# It is there already.
error Exists (name: string)
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("places") / "socket"
    with describing(path, {"org.example.Places": PLACES}) as address:
        yield address


def test_an_interface_is_explained_on_a_page(places: str) -> None:
    assert (
        printed("help", f"{places}/org.example.Places")
        == f"""\
interface org.example.Places

  Where things are. All of it goes on one page.

Methods:
  Add    Adds a place.
  Clear

Types:
  Use    What a place is for.
  Mood
  Place  A place.

Errors:
  Exists  It is there already.

'varlink help {places}/org.example.Places.NAME' tells more of each.
"""
    )


def test_a_method_is_explained_with_its_types_and_an_example(places: str) -> None:
    assert (
        printed("help", f"{places}/org.example.Places.Add")
        == f"""\
method org.example.Places.Add

  Adds a place. The rest of the text is not for tables.

  It flows when it is long, and it really has to be quite long for that to
  happen.
  - one
    indented
  - two

Parameters:
  place: Place
      The one to add.
  tags: []string
  name: string
  weight: float
  mood: Mood
  others: ?[]Place

Results:
  none

Types:
  Place: struct
      A place. It may have others in it.
    name: string
        What it is called.
    use: Use
    mood: ?Mood
    inner: []Place
    address: ?(...)
      street: string
          Without a number.
      floor: int

  Use: enum
      What a place is for.
    home
        Someone lives there.
    work

  Mood: enum
    good, bad

Errors:
  Exists (name: string)
      It is there already.

Example:
  varlink call {places}/org.example.Places.Add 'place={{"name": "name", "use": "home", "inner": []}}' \
tags=tags name=name weight=1.5 mood=good
"""
    )


def test_the_example_can_be_pasted(places: str) -> None:
    example = printed("help", places, "org.example.Places.Add").splitlines()[-1]
    program, *words = shlex.split(example)
    assert program == "varlink"
    assert json.loads(printed(*words)) == {
        "place": {"name": "name", "use": "home", "inner": []},
        "tags": ["tags"],
        "name": "name",
        "weight": 1.5,
        "mood": "good",
    }


def test_types_and_errors_are_explained(places: str) -> None:
    assert printed("help", f"{places}/org.example.Places.Mood") == (
        "type org.example.Places.Mood\n\nValues:\n  good, bad\n"
    )
    assert printed("help", f"{places}/org.example.Places.Exists") == (
        "error org.example.Places.Exists\n\n  It is there already.\n\nFields:\n  name: string\n"
    )
    assert "Types:\n  Use: enum\n" in printed("help", f"{places}/org.example.Places.Place")


def test_the_text_is_what_the_service_has(places: str, more: str) -> None:
    assert printed("help", "--text", f"{places}/org.example.Places") == PLACES
    text = (EXAMPLES / "org.example.more.varlink").read_text()
    assert printed("help", "--text", f"{more}/org.example.more") == text


def test_json_has_what_is_declared(places: str) -> None:
    whole = json.loads(printed("help", "-j", f"{places}/org.example.Places"))
    assert [member["name"] for member in whole["members"]] == [
        "Use",
        "Mood",
        "Place",
        "Add",
        "Clear",
        "Exists",
    ]
    method = json.loads(printed("help", "--json=short", f"{places}/org.example.Places.Clear"))
    assert method == whole["members"][4]


def test_a_terminal_shows_bold_names_in_its_width(places: str) -> None:
    text = shown("help", f"{places}/org.example.Places.Add", env={"COLUMNS": "40"})
    assert "\x1b[1mParameters:\x1b[0m\r\n" in text
    assert "\r\n  \x1b[34mplace\x1b[0m: Place\r\n" in text
    assert "\r\n  It flows when it is long, and it\r\n  really has to be quite long" in text
    assert "\x1b" not in shown("help", f"{places}/org.example.Places.Add", env={"NO_COLOR": "1"})


def test_documentation_does_not_steer_the_terminal(tmp_path: Path) -> None:
    hostile = "# \x1b]0;title\x07\ninterface a.b\n# \x9b2J\nmethod M() -> ()\n"
    with describing(tmp_path / "a", {"a.b": hostile}) as address:
        text = shown("help", f"{address}/a.b", env={"NO_COLOR": "1"})
        assert "\x1b" not in text
        assert "\\u001b]0;title" in text
        assert "\\u009b2J" in shown("help", f"{address}/a.b.M", env={"NO_COLOR": "1"})


def test_types_that_hold_endless_values_are_explained_all_the_same(tmp_path: Path) -> None:
    doubling = "".join(f"type T{n} (a: T{n + 1}, b: T{n + 1})\n" for n in range(60))
    text = f"interface a.b\n{doubling}type T60 (a: int)\nmethod M(t: T0) -> ()\n"
    with describing(tmp_path / "a", {"a.b": text}) as address:
        page = printed("help", f"{address}/a.b.M")
    assert "T60: struct" in page


@pytest.mark.parametrize("words", [["help"], ["--help"]])
def test_help_alone_lists_the_verbs(words: list[str]) -> None:
    assert "\nTalk to a service:\n" in printed(*words)


def test_help_on_a_verb_is_what_the_verb_says_itself() -> None:
    assert printed("help", "call") == printed("call", "--help")
    assert printed("help", "help") == printed("help", "--help")
    assert printed("help", "exec") == printed("exec", "--help")


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["cal"], 2, "'cal' is neither a verb nor [ADDRESS/]INTERFACE; did you mean 'call'?"),
        (["unix:/no/such/socket"], 2, "write unix:/no/such/socket/INTERFACE"),
        (["unix:/no/such/socket/a.b"], 3, "Is the service running?"),
        (["PLACES/org.example.Place"], 1, "did you mean 'org.example.Places'?"),
        (["PLACES/org.example.Places.Ad"], 5, "org.example.Places declares no 'Ad'; did you mean 'Add'?"),
        (["PLACES", "Add"], 2, "'Add' is no INTERFACE and no INTERFACE.NAME"),
        (["PLACES", "org.example.Places", "Add"], 2, "'Add' is one word more"),
    ],
)
def test_mistakes_are_told_in_a_sentence(words: list[str], status: int, part: str, places: str) -> None:
    found, sentence = refused("help", *(word.replace("PLACES", places) for word in words))
    assert (found, part in sentence) == (status, True), sentence


def test_a_faulty_definition_can_only_be_had_as_text(tmp_path: Path) -> None:
    with describing(tmp_path / "a", {"a.b": "interface a.b\n"}) as address:
        status, sentence = refused("help", f"{address}/a.b")
        assert status == 6
        assert "a.b, line" in sentence
        assert run("help", "--text", f"{address}/a.b").stdout == b"interface a.b\n"


def test_an_interface_may_be_called_like_a_method_for_a_resolver_too(places: str, tmp_path: Path) -> None:
    resolver = "interface org.varlink.resolver\nmethod Resolve(interface: string) -> (address: string)\n"
    with describing(tmp_path / "a", {"org.varlink.resolver": resolver}) as address:
        # It sends back what it is called with, so it knows no address.
        status, sentence = refused("-r", address, "help", "org.example.Places")
    assert status == 6
    assert "does not say where org.example.Places is" in sentence
