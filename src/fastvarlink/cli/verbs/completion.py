"""Print what makes a shell complete the words of this command.

bash: add "source <(varlink completion bash)" to ~/.bashrc, or write the script to
      ~/.local/share/bash-completion/completions/varlink if the package bash-completion is installed.
zsh:  add "source <(varlink completion zsh)" to ~/.zshrc, behind compinit, or write the script to a file _varlink
      in a folder of $fpath.
fish: write the script to ~/.config/fish/completions/varlink.fish.

Services are asked for what they offer, but only those that an address leads to, and for a second at most.
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
