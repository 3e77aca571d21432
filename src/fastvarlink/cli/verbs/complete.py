"""Print what a word may become. The scripts of ``completion`` ask this.

    complete bash LINE BREAKS       the line up to the cursor, and the characters at which bash breaks words
    complete zsh|fish WORD ... WORD  the words behind the program, of which the last is being typed

The answer has one candidate on each line, as the shell wants it; or ``:files`` or ``:folders`` where the
shell itself knows better, for zsh and fish with the number of characters of the word before the path.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from fastvarlink.cli.completing.bashline import read_line, replies
from fastvarlink.cli.completing.candidate import Candidate, Files
from fastvarlink.cli.completing.commandline import candidates
from fastvarlink.cli.fault import MISUSED, fail
from fastvarlink.cli.output import legible, show

# After so many seconds there is no answer, as a dead service must not hold up who is typing.
LIMIT = 1.0


def run_raw(words: Sequence[str]) -> None:
    """Find the candidates, and print them if there are any in time."""
    patience = _patience()
    # Looking up the name of a host, for one, has no limit of its own.
    limit = threading.Timer(patience, os._exit, (0,))
    limit.daemon = True
    limit.start()
    match list(words):
        case ["bash", line, breaks]:
            typed = read_line(line, breaks)
            found, files = _found(typed.words[1:], typed.word, patience)
            lines = replies(typed, found)
            if files is not None and not lines:
                lines = [_where(files)]
        case ["zsh" | "fish" as shell, *others, word]:
            found, files = _found(others, word, patience)
            lines = [_for_zsh(each) if shell == "zsh" else _for_fish(each) for each in found]
            if files is not None:
                lines.append(f"{_where(files)}{files.behind}")
        case _:
            fail("complete is for the scripts that 'varlink completion' prints.", MISUSED)
    if lines:
        show("\n".join(lines))


def _patience() -> float:
    try:
        return float(os.environ.get("VARLINK_COMPLETION_SECONDS", LIMIT))
    except ValueError:
        return LIMIT


def _found(words: Sequence[str], word: str, patience: float) -> tuple[list[Candidate], Files | None]:
    found: list[Candidate] = []
    files = None
    try:
        for each in candidates(words, word, patience):
            if isinstance(each, Files):
                files = each
            elif each.word.isprintable():
                found.append(each)
    except SystemExit:
        # What cannot be asked has no candidates.
        pass
    return found, files


def _where(files: Files) -> str:
    return ":folders" if files.folders else ":files"


def _description(candidate: Candidate) -> str:
    return legible(candidate.description).replace("\t", " ").replace("\n", " ")


def _for_zsh(candidate: Candidate) -> str:
    word = candidate.word.replace("\\", "\\\\").replace(":", "\\:")
    return f"{'=' if candidate.complete else '+'}{word}:{_description(candidate)}"


def _for_fish(candidate: Candidate) -> str:
    return f"{candidate.word}\t{_description(candidate)}"
