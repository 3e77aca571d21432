"""Print what makes a shell complete the words of this command.

bash: source <(varlink completion bash)
      in ~/.bashrc; or the script is a file of the package bash-completion,
      ~/.local/share/bash-completion/completions/varlink
zsh:  source <(varlink completion zsh)
      in ~/.zshrc, behind compinit; or the script is a file _varlink in a folder of $fpath
fish: the script is the file ~/.config/fish/completions/varlink.fish

Services are asked for what they offer, but only those that an address leads to, and for a second at most, or
$VARLINK_COMPLETION_SECONDS.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from fastvarlink.cli.completing.scripts import SCRIPTS
from fastvarlink.cli.output import show

EXAMPLES = ("varlink completion bash", "varlink completion zsh", "varlink completion fish")


def arguments(parser: ArgumentParser) -> None:
    """What completion takes."""
    parser.add_argument("shell", choices=tuple(SCRIPTS), help="the shell that the script is for")


def run(args: Namespace) -> None:
    """Print the script."""
    show(SCRIPTS[args.shell], end="")
