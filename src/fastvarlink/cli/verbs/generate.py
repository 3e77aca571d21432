"""Make a typed Python module from a definition: types, errors, clients, and the base of a service."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from fastvarlink.cli.definitions import definition_argument, definition_options, parsed, read_source
from fastvarlink.cli.fault import FAILED, MISUSED, REJECTED, fail
from fastvarlink.cli.output import legible, show
from fastvarlink.cli.writing import print_text, write_file
from fastvarlink.idl.generation import generate, is_generated

EXAMPLES = (
    "varlink generate org.example.more.varlink -o more_interface.py",
    "varlink generate --structs=typeddict unix:/run/org.example.more/org.example.more",
)


def arguments(parser: ArgumentParser) -> None:
    """What generate takes."""
    definition_argument(parser, "source", "DEFINITION")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the module to this file")
    parser.add_argument(
        "--structs", choices=("dataclass", "typeddict"), default="dataclass", help="what structs become"
    )
    parser.add_argument("--enums", choices=("literal", "enum"), default="literal", help="what enums become")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; status 1 if the file is not up to date"
    )
    parser.add_argument("--force", action="store_true", help="replace also a file that was not generated")
    definition_options(parser)


def run(args: Namespace) -> int | None:
    """Read the definition, and print or write the module."""
    if args.check and args.output is None:
        fail("--check needs a file to look at; name it with -o FILE.", MISUSED)
    source = read_source(args, args.source)
    parsed(source)
    # The same module wherever the file or the service is, so that it can be kept under version control.
    origin = os.path.basename(source.name) if source.is_file else ""
    text = generate(source.text, source=origin, structs=args.structs, enums=args.enums)
    if args.output is None:
        print_text(text)
        return None
    written = _read(args.output)
    if written == text:
        return None
    if args.check:
        how = "is not there" if written is None else "is not up to date"
        show(f"{legible(args.output)} {how}; without --check it is written.")
        return FAILED
    if written and not is_generated(written) and not args.force:
        fail(f"{args.output!r} was not generated, so that it is not replaced; --force does so.", REJECTED)
    write_file(args.output, text)
    return None


def _read(path: str) -> str | None:
    """The text of a file, None if it is not there."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        fail(f"The file {path!r} cannot be read: {error.strerror}.", REJECTED)
