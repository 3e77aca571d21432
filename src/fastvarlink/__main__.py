"""``python -m fastvarlink``: the command line."""

from __future__ import annotations

import sys

from fastvarlink.cli import main

if __name__ == "__main__":
    sys.exit(main())
