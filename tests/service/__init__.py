"""Tests of services: interfaces that are declared in Python, and typed handlers."""
