"""The compiled core. Nothing here decides policy, and nothing here logs."""

from importlib import import_module

MODULES = (
    "tree",
    "lexer",
    "reading",
    "structs",
    "grammar",
    "names",
    "forked",
    "countdown",
    "deadline",
    "buffer",
    "control",
    "framing",
    "message",
    "session",
    "value",
    "shape",
    "schema",
    "context",
    "plan",
    "dispatch",
    "link",
    "reactor",
    "listener",
    "terms",
    "connection",
    "waiting",
    "call",
    "channel",
    "remote",
    "pool",
    "pipeline",
)

for _name in MODULES:
    try:
        import_module(f"{__name__}.{_name}")
    except ImportError as error:
        raise ImportError(
            f"fastvarlink's compiled module {__name__}.{_name} cannot be imported: {error}. "
            f"Reinstall it for this Python with 'python -m pip install --force-reinstall "
            f"fastvarlink'; in a source tree build it with 'python -m pip install .' and run Python "
            f"outside of the tree's src folder."
        ) from error
