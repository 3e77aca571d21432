"""Hands the fixtures of the other implementations to the tests of this folder."""

from peers import address, go_certification, original, serving

__all__ = ["address", "go_certification", "original", "serving"]
