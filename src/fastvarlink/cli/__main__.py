"""``python -m fastvarlink.cli``, and ``-m varlink.cli`` under install()."""

from __future__ import annotations

import sys

from fastvarlink.cli import main

if __name__ == "__main__":
    sys.exit(main())
