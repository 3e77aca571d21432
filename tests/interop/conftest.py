"""Hands the fixtures of the other implementations to the tests of this folder."""

from peers import address, go_certification, original, serving
from systemd import systemd_tree, varlinkctl

__all__ = ["address", "go_certification", "original", "serving", "systemd_tree", "varlinkctl"]
