"""The compiled core, seen from its edges: what once went wrong there, and what it must accept and refuse."""
