"""Abuse: many connections, rude ones and stuck handlers, with others looking on."""
