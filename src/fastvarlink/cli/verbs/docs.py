"""Make documentation from definitions and the comments in them, as Markdown or as pages of HTML."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import definition_options, definitions_argument, parsed, read_sources
from fastvarlink.cli.docs.page import page_of
from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.cli.writing import print_text, write_file

EXAMPLES = (
    "varlink docs org.example.more.varlink",
    "varlink docs --address=unix:/run/org.example.more -o more.md org.example.more.varlink",
    "varlink docs --html -o . unix:/run/org.example.more",
)


def arguments(parser: ArgumentParser) -> None:
    """What docs takes."""
    definitions_argument(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE|FOLDER",
        help="write to this file; or into this folder, a file for each interface: INTERFACE.md or .html",
    )
    parser.add_argument("--html", action="store_true", help="a page of HTML for each interface, no Markdown")
    parser.add_argument(
        "--address", metavar="ADDRESS", help="the address in the examples, if it is not where they were read"
    )
    definition_options(parser)


def run(args: Namespace) -> int | None:
    """Read them all, and print or write their documentation."""
    sources = read_sources(args, args.words)
    pages = [page_of(parsed(source), args.address or source.address) for source in sources]
    if args.html:
        from fastvarlink.cli.docs.webpage import to_html

        texts = [(f"{page.name}.html", to_html(page)) for page in pages]
    else:
        from fastvarlink.cli.docs.markdown import to_markdown

        texts = [(f"{page.name}.md", to_markdown(page)) for page in pages]
    if args.output is not None and (os.path.isdir(args.output) or args.output.endswith("/")):
        for name, text in texts:
            write_file(os.path.join(args.output, name), text)
        return None
    if args.html and len(texts) > 1:
        fail(f"There are {len(texts)} pages of HTML to write; name a folder for them with -o.", MISUSED)
    whole = "\n".join(text for _, text in texts)
    if args.output is None:
        print_text(whole)
    else:
        write_file(args.output, whole)
    return None
