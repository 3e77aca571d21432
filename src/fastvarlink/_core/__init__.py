"""The compiled core. Nothing here decides policy, and nothing here logs."""

# The least of its modules, for all: they are built together. The others are imported by whoever needs them.
try:
    from fastvarlink._core import forked as forked
except ImportError as error:
    raise ImportError(
        f"fastvarlink's compiled module fastvarlink._core.forked cannot be imported: {error}. "
        f"Reinstall it for this Python with 'python -m pip install --force-reinstall "
        f"fastvarlink'; in a source tree build it with 'python -m pip install .' and run Python "
        f"outside of the tree's src folder."
    ) from error
