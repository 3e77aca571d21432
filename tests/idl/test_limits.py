"""What is too much is refused, in bounded memory, in linear time and without a crash (rule I5)."""

from __future__ import annotations

import tracemalloc
from itertools import islice

import pytest
from reading import HEAD, places, refusal

from fastvarlink.idl import IdlSyntaxError, parse, to_text, tree

MIB = 1024 * 1024


@pytest.mark.rule("I5")
@pytest.mark.parametrize("opening", ["[]", "[string]", "(a: ", "?[]"])
def test_nesting(opening: str) -> None:
    levels = 2 if opening == "?[]" else 1
    for depth, good in ((64, True), (65, False), (20_000, False)):
        # The struct of the declaration is the first level.
        count = (depth - 1) // levels + (0 if good else 1)
        text = f"{HEAD}type T (a: {opening * count}int{')' * opening.count('(') * count})"
        if good:
            parsed = parse(text)
            assert parse(to_text(parsed)) == parsed
        else:
            (fault,) = refusal(text).faults
            assert fault.message == "Types are nested more than 64 deep."


@pytest.mark.rule("I5")
def test_a_long_chain_of_types_is_no_nesting() -> None:
    text = "\n".join(f"type T{i} (a: T{i + 1}, b: T{i + 1})" for i in range(3000))
    assert len(parse(f"{HEAD}{text}\ntype T3000 ()").members) == 3001


@pytest.mark.rule("I5")
@pytest.mark.parametrize("filler", [" ", "\u2028", "\u00e9"])
def test_16_mib_of_utf8(filler: str) -> None:
    head = HEAD + "error E ()\n#"
    count, rest = divmod(16 * MIB - len(head), len(filler.encode()))
    text = head + "x" * rest + filler * count
    assert parse(text).members
    for each in (text + " ", (text + " ").encode()):
        (fault,) = refusal(each).faults
        assert fault.message == "The definition has 16777217 bytes; 16777216 are allowed at most."


@pytest.mark.rule("I5")
def test_more_than_16_mib_are_not_decoded() -> None:
    assert "16777217 bytes" in refusal(b"\xff" * (16 * MIB + 1)).msg


@pytest.mark.rule("I5")
def test_100000_members() -> None:
    many = "".join(f"error E{i} ()\n" for i in range(100_001))
    (fault,) = refusal(HEAD + many).faults
    assert fault.message == "The interface has more than 100000 members."
    assert (fault.line, fault.column) == (100_002, 1)
    assert len(parse(HEAD + many[: many.rindex("error")]).members) == 100_000


@pytest.mark.rule("I5")
@pytest.mark.parametrize("where", ["# \0\n", "\0", "type \0T ()"])
def test_a_nul(where: str) -> None:
    for text in (HEAD + where, (HEAD + where).encode()):
        (fault,) = refusal(text).faults
        assert (fault.line, fault.column) == (2, where.index("\0") + 1)
        assert fault.message == "Found a NUL character, which a definition cannot contain."


@pytest.mark.rule("I5")
def test_half_a_character() -> None:
    (fault,) = refusal(f"{HEAD}# \udc80\n").faults
    assert (fault.line, fault.column, fault.message) == (2, 3, "Found a character that is not valid UTF-8.")


def filled(*pieces: str) -> str:
    """The pieces, the last of them again and again, as long as a text may be."""
    head = HEAD + "".join(pieces[:-1])
    return head + pieces[-1] * ((16 * MIB - len(head)) // len(pieces[-1]))


@pytest.mark.rule("I5")
@pytest.mark.parametrize(
    ("pieces", "most"),
    [
        (("(",), 1),
        (("type T ", "("), 1),
        (("type T (a: ", "(a: "), 1),
        (("type T (", "a,"), 1),
        (("type T (", "a:(),"), 1),
        (("type T (a: ", "?"), 2),
        (("type T (a: ", "[]"), 1),
        (("?\n",), 1),
        (("error e\n",), 101),
        (("type T (", "a: x, "), 101),
        (("type T (", "a: x,\n"), 101),
        (("type T (a: X,", "a: X,"), 103),
        (("enum\n" * 200, "("), 101),
        (("type T\n" * 200, "\n"), 101),
        (("#", "\u2028"), 1),
        (("type ", "x"), 2),
        (("a-",), 1),
        (("type T (type", "\n"), 1),
        (("{", "}"), 2),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_16_mib_of_anything_end_soon(pieces: tuple[str, ...], most: int) -> None:
    # What is quadratic in such a length takes hours.
    error = refusal(filled(*pieces))
    assert 1 <= len(error.faults) <= most
    assert len(str(error)) < 100_000


@pytest.mark.rule("I5")
@pytest.mark.parametrize("piece", ["# c\n", "#\n\n", " ", "\n", "\r", "# # "])
def test_what_says_nothing_is_read_in_linear_time(piece: str) -> None:
    assert parse(filled("error E ()\n", piece)).members


@pytest.mark.rule("I5")
def test_faults_of_a_long_line_do_not_each_keep_a_copy() -> None:
    text = filled("type T (", "a: x, ")
    tracemalloc.start()
    try:
        faults = refusal(text).faults
        assert tracemalloc.get_traced_memory()[1] < 64 * MIB
    finally:
        tracemalloc.stop()
    assert all(fault.source is faults[0].source for fault in faults)


@pytest.mark.rule("I5")
def test_fields_and_values_are_limited_too() -> None:
    names = ",".join(f"v{i}" for i in range(1_000_000))
    assert parse(f"{HEAD}type T ({names})").members
    (fault,) = refusal(f"{HEAD}type T ({names},\na)").faults
    assert fault.message == "The interface has more than 1000000 fields and values."
    assert (fault.line, fault.column) == (3, 1)


@pytest.mark.rule("I5")
def test_reading_ends_after_100_faults_and_says_so() -> None:
    text = HEAD + "type T (a: Later)\n" + "error e ()\n" * 200 + "type Later ()\n"
    error = refusal(text)
    assert places(error) == [*((line, 7) for line in range(3, 103)), (102, 7)]
    assert error.faults[-1].message == "Reading ended here, after 100 faults."


@pytest.mark.rule("I5")
def test_faults_of_names_are_limited_too() -> None:
    fields = ", ".join(f"f{i}: X{i}" for i in range(1000))
    error = refusal(f"{HEAD}type T ({fields})")
    assert len(error.faults) == 101
    assert error.faults[-1].message == "From here on there are 900 more faults."


@pytest.mark.rule("I5")
def test_similar_names_are_not_compared_without_end() -> None:
    # Names of the same letters in another order are what comparing takes longest for.
    letters = "abcdefghijklmnopqrstuvwxyz" * 3
    names = (f"T{letters[i:]}{letters[:i]}{j}" for j in range(40) for i in range(26))
    declared = "".join(f"type {name} ()\n" for name in islice(names, 999))
    fields = ", ".join(f"f{i}: T{letters[::-1]}{i}" for i in range(100))
    with pytest.raises(IdlSyntaxError):
        parse(f"{HEAD}{declared}type Z ({fields})")


@pytest.mark.rule("I5")
def test_a_deep_tree_is_refused_and_freed() -> None:
    of: tree.Type = tree.Primitive.INT
    for index in range(100_000):
        of = (tree.Array, tree.Map, tree.Nullable)[index % 3](of)
    inline = tree.Struct(())
    for _ in range(100_000):
        inline = tree.Struct((tree.Field("a", inline),))
    for each in (of, inline):
        error = tree.Error("E", tree.Struct((tree.Field("a", each),)))
        with pytest.raises(ValueError, match="nested more than 64 deep in 'a'"):
            to_text(tree.Interface("a.b", "", (error,)))
