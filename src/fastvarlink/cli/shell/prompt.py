"""Lines from a terminal, with completion, history and hints, by prompt_toolkit."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.output import ColorDepth

from fastvarlink.cli.output import coloured
from fastvarlink.cli.shell.completer import candidates, signature
from fastvarlink.cli.shell.history import history_file
from fastvarlink.cli.shell.interpreter import Interpreter
from fastvarlink.cli.shell.line import is_open
from fastvarlink.cli.shell.service import Service

__all__ = ["run_prompt"]

# Seconds that a service has for describing an interface before the first prompt.
_PATIENCE = 2.0


class _Completer(Completer):
    def __init__(self, service: Service) -> None:
        self._service = service

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        word, found = candidates(document.text_before_cursor, self._service)
        for each in found:
            yield Completion(
                each.word + (" " if each.complete else ""),
                start_position=-len(word),
                display=each.word,
                display_meta=each.description,
            )


def run_prompt(interpreter: Interpreter) -> None:
    """Do what is typed, until ctrl-D or ``exit``."""
    service = interpreter.service
    open_brackets = Condition(lambda: is_open(get_app().current_buffer.text))
    prompts: PromptSession[str] = PromptSession(
        history=_history(),
        auto_suggest=AutoSuggestFromHistory(),
        completer=_Completer(service),
        complete_while_typing=False,
        multiline=open_brackets,
        bottom_toolbar=lambda: signature(get_app().current_buffer.text, service) or service.name,
        color_depth=None if coloured() else ColorDepth.DEPTH_1_BIT,
    )
    while True:
        try:
            # It is asked for here, so that nobody has to wait for it while typing.
            service.learn(_PATIENCE)
            text = prompts.prompt(f"{service.used or 'varlink'}> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            if not interpreter.run(text):
                return
        except KeyboardInterrupt:
            # It ended the call. What the terminal shows of it is to stand on a line of its own.
            print()


def _history() -> History:
    try:
        return FileHistory(history_file())
    except OSError as error:
        print(f"What is typed is not kept: {error}.", file=sys.stderr)
        return InMemoryHistory()
