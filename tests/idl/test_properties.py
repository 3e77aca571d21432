"""Any tree is printed and read back, and any text is read or refused (rules I8 and I9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
import trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastvarlink.idl import Fault, IdlSyntaxError, parse, to_text, tree

bounded = settings(
    deadline=None, derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.too_slow]
)

FRAGMENTS = [
    *("interface ", "a.b", "type ", "method ", "error ", "T", "F", "a", "b_c", "int", "string", "any"),
    *("(", ")", ":", ",", "->", "?", "[]", "[string]", "[", "]", "{", "}", "-", ".", "_", ";", "=", "//"),
    *(" ", "\n", "\t", "\r", "\r\n", "\u2028", "\u2029", "\ufeff", "\x0c", "\0", "\x1b", "é", "😀", "\udc80"),
    *("#", "# c\n", "#\n", "\n\n", "type T (", "\nmethod F(", ") -> (", "a: T", ", ", "\nerror E ()\n"),
]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)
likely = texts.map("interface a.b\n".__add__)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A valid definition of which pieces were taken away, put elsewhere, or replaced by others."""
    text = to_text(draw(trees.interfaces()))
    for _ in range(draw(st.integers(1, 3))):
        begin = draw(st.integers(0, len(text)))
        end = min(len(text), begin + draw(st.integers(0, 12)))
        at = draw(st.integers(0, len(text)))
        new = draw(st.sampled_from([*FRAGMENTS, text[at : at + 10], ""]))
        text = text[:begin] + new + text[end:]
    return text


def check_faults(text: str, faults: Sequence[Fault]) -> None:
    """Each fault lies in the text, and can be shown."""
    lines = re.split("\r\n|[\n\r\u2028\u2029]", text)
    assert faults
    for fault in faults:
        assert fault.source == lines[fault.line - 1]
        assert 1 <= fault.column <= len(fault.source) + 1
        assert fault.message.isprintable()
        assert fault.hint.isprintable()
        assert str(fault)
    places = [(fault.line, fault.column) for fault in faults]
    assert places == sorted(places)


def read_or_refused(text: str) -> None:
    """Reads a text; whatever comes of it must be sound."""
    try:
        parsed = parse(text)
    except IdlSyntaxError as error:
        check_faults(text, error.faults)
        return
    printed = to_text(parsed)
    assert parse(printed) == parsed
    assert to_text(parse(printed)) == printed


@pytest.mark.rule("I9")
@bounded
@given(trees.interfaces())
def test_a_tree_is_printed_and_read_back(interface: tree.Interface) -> None:
    printed = to_text(interface)
    again = parse(printed)
    assert again == interface
    assert to_text(again) == printed


@pytest.mark.rule("I9")
@bounded
@given(trees.interfaces(comments=False))
def test_a_tree_without_comments_is_printed_without_any(interface: tree.Interface) -> None:
    printed = to_text(interface)
    assert "#" not in printed
    assert parse(printed) == interface


@pytest.mark.rule("I6")
@bounded
@given(trees.interfaces(), st.sampled_from(["\r", "\r\n", "\u2028", "\u2029"]))
def test_line_ends_make_no_difference(interface: tree.Interface, end: str) -> None:
    assert parse(to_text(interface).replace("\n", end)) == interface


@pytest.mark.rule("I8")
@pytest.mark.parametrize("strategy", [texts, likely, mutated()], ids=["texts", "likely", "mutated"])
def test_any_text_is_read_or_refused(strategy: st.SearchStrategy[str]) -> None:
    check: Callable[[], None] = settings(bounded, max_examples=500)(given(strategy)(read_or_refused))
    check()


@pytest.mark.rule("I8")
@bounded
@given(st.binary(max_size=40) | st.text(max_size=20).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for each in (data, b"interface a.b\nerror E ()\n" + data):
        try:
            text = each.decode()
        except UnicodeDecodeError:
            with pytest.raises(IdlSyntaxError, match="UTF-8"):
                parse(each)
        else:
            read_or_refused(text)
