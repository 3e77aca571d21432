"""Hands the fixtures of the other implementations to the tests of this folder."""

import signal

from peers import address, go_certification, original, serving
from systemd import systemd_tree, varlinkctl

# A shell that starts the tests in the background has them, and what they start, ignore the signal by which
# the peers are ended.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

__all__ = ["address", "go_certification", "original", "serving", "systemd_tree", "varlinkctl"]
