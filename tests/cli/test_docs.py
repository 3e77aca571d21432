"""The verb docs: documentation whose readers see what the definition says, whatever that is."""

from __future__ import annotations

import json
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from .command import printed, refused
from .conftest import EXAMPLES

MORE = str(EXAMPLES / "org.example.more.varlink")
TASKS = str(EXAMPLES / "org.example.tasks.varlink")
CERTIFICATION = str(EXAMPLES / "org.varlink.certification.varlink")

# Lines of documentation that mean something in Markdown or HTML.
HOSTILE = (
    "<script>alert(1)</script>",
    "</td></table></article><img src=x onerror=alert(1)>",
    "| a | b |",
    "a `code` b ``` c",
    "*a* _b_ ~~c~~ **d**",
    "[link](javascript:alert(1)) ![image](http://example.org/x.png) [ref]: /url",
    "&lt; &amp; &#60; \"quoted\" 'quoted'",
    "back\\slash \\`",
    "{{ template }} {% raw %} $x$",
    "    indented",
)
OPENINGS = (
    "# heading",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "---",
    "===",
    "> quote",
    "```",
    "~~~",
    "|--|",
)


def hostile() -> bytes:
    """A definition with such documentation in each place, and with characters that steer."""
    comment = "\n".join(f"# {line}\n#" for line in (*HOSTILE, *OPENINGS, "\x1b[2J\u202e"))
    field = "\n".join(f"  # {line}\n  #" for line in (*HOSTILE, *OPENINGS))
    text = (
        f"{comment}\n# end\ninterface org.example.hostile\n\n"
        f"{comment}\n# end\ntype T (\n{field}\n  # end\n  a: ?[][string]T, # remark <b>\n"
        f"  b: (x: ?T, # deep\n    y: (one, # why\n two)))\n\n"
        f"{comment}\n# end\nmethod M(t: T, e: (c, d)) -> ()\n\n{comment}\n# end\nerror E ()\n"
    )
    return text.encode()


class Page(HTMLParser):
    """A page of HTML: what it shows, and that its tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.shown = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)
        for name, value in attrs:
            assert name in {"id", "href", "class", "lang", "charset", "name", "content", "http-equiv"}, name
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.shown += data
        else:
            assert "url(" not in data
            assert "@import" not in data


def read(text: str) -> Page:
    """A page that is whole: anchors are there once, and links lead to them and nowhere else."""
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.links) <= {f"#{name}" for name in page.ids}
    assert not {"script", "img", "link", "iframe", "object"} & set(page.tags)
    return page


def test_markdown_tells_all_of_an_interface() -> None:
    text = printed("docs", MORE)
    assert text.startswith("# org.example.more\n\nA small service with one call of each kind: ")
    assert (
        '<a id="org.example.more.TestMore"></a>\n\n### TestMore\n\n'
        "Reports its progress in n steps; call it with more\n\n"
        "| Parameters | Type |\n| --- | --- |\n| `n` | `int` |\n\n"
        "| Results | Type |\n| --- | --- |\n| `state` | [`State`](#org.example.more.State) |\n\n"
        "```sh\nvarlink call ADDRESS/org.example.more.TestMore '{\"n\": 1}'\n```\n"
    ) in text
    assert "| `progress` | `?int` | How far it has come, from 0 to 100 |\n" in text
    assert "## Errors\n" in text
    assert "It returns nothing." in text


def test_fields_within_fields_have_rows_of_their_own() -> None:
    text = printed("docs", "-", given=hostile())
    assert "| `b` | `(...)` |  |\n| `b.x` | `?`[`T`](#org.example.hostile.T) | deep |\n" in text
    assert "| `b.y` | `(one, two)` |  |\n| `b.y = one` |  | why |\n" in text
    assert "| `a` | `?[][string]`[`T`](#org.example.hostile.T) |" in text


def test_the_examples_work(more: str) -> None:
    text = printed("docs", more)
    commands = [line for line in text.splitlines() if line.startswith("varlink call ")]
    ping = next(command for command in commands if "Ping" in command)
    assert json.loads(printed(*shlex.split(ping)[1:])) == {"pong": "ping"}
    text = printed("docs", "--address=unix:/a b", MORE)
    assert "varlink call 'unix:/a b/org.example.more.Ping' '{\"ping\": \"ping\"}'\n" in text


@pytest.mark.parametrize("path", [MORE, TASKS, CERTIFICATION])
def test_a_page_of_html_is_whole(path: str) -> None:
    text = printed("docs", "--html", path)
    page = read(text)
    assert "prefers-color-scheme: dark" in text
    assert "varlink call ADDRESS/" in page.shown


def test_types_lead_to_their_declarations() -> None:
    page = read(printed("docs", "--html", TASKS))
    assert {"methods", "types", "errors", "Task", "State", "Add", "SetState", "List", "NoTasks"} <= set(
        page.ids
    )
    assert page.links.count("#Task") > 2


def test_html_shows_hostile_documentation_as_it_is() -> None:
    page = read(printed("docs", "--html", "-", given=hostile()))
    for line in (*HOSTILE, *OPENINGS):
        # In the comments of the interface, the type, the field, the method and the error.
        assert page.shown.count(line.strip()) >= 5
    assert "\x1b" not in page.shown
    assert "\u202e" not in page.shown
    assert "\ufffd[2J" in page.shown
    assert "remark <b>" not in page.shown, "A comment behind is shown where there is none above."


def test_markdown_shows_hostile_documentation_as_it_is() -> None:
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    text = printed("docs", "-", given=hostile())
    page = Page(markdown.render(text).replace("<br>", "\n"))
    for line in (*HOSTILE, *OPENINGS):
        assert page.shown.count(line.strip()) >= 5, line
    # Nothing but what documentation is made of.
    assert set(page.tags) <= {"h1", "h2", "h3", "p", "a", "table", "thead", "tbody", "tr", "th", "td"} | {
        "code",
        "pre",
    }
    assert page.tags.count("table") == 2
    assert {link for link in page.links if not link.startswith("#org.example.hostile.")} == set()
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert "\x1b" not in text
    # Template languages look at the text before.
    assert "{{" not in text
    assert "{%" not in text


def test_a_folder_gets_a_file_for_each_interface(more: str, tmp_path: Path) -> None:
    assert printed("docs", "--html", "-o", ".", more, TASKS, cwd=tmp_path) == ""
    assert printed("docs", "-o", ".", more, cwd=tmp_path) == ""
    names = ["org.example.more.html", "org.example.more.md", "org.example.tasks.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert f"varlink call {more}/org.example.more.Ping" in read((tmp_path / names[0]).read_text()).shown


def test_markdown_of_several_interfaces_is_one_text(tmp_path: Path) -> None:
    assert printed("docs", "-o", "all.md", MORE, TASKS, cwd=tmp_path) == ""
    text = (tmp_path / "all.md").read_text()
    assert [line for line in text.splitlines() if line.startswith("# ")] == [
        "# org.example.more",
        "# org.example.tasks",
    ]


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--html", MORE, TASKS], 2, "There are 2 pages of HTML to write; name a folder for them with -o."),
        (
            ["-o", "no/such.md", MORE],
            3,
            "The file 'no/such.md' cannot be written: No such file or directory.",
        ),
        ([], 5, "stdin, line 1, column 11"),
    ],
)
def test_what_cannot_be_done_is_said(words: list[str], status: int, sentence: str, tmp_path: Path) -> None:
    got, said = refused("docs", *words, given=b"interface x\n", cwd=tmp_path)
    assert got == status
    assert sentence in said


def test_types_that_contain_each_other_come_to_an_end() -> None:
    types = [f"type T{i} (a: []T{i + 1}, b: [string]T{i + 1}, c: T{i + 1}, d: []T{i})" for i in range(40)]
    text = "\n".join(["interface org.example.wide", *types, "type T40 (e: []T0)", "method M(t: T0) -> ()"])
    command = next(
        line for line in printed("docs", given=text.encode()).splitlines() if line.startswith("varlink call ")
    )
    assert json.loads(shlex.split(command)[3]) == {}
