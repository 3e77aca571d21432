"""Limits, each beside what it protects from."""

# Bytes of one message, in either direction. A peer that never ends its message could otherwise fill the
# memory. 16 MiB is what sd-varlink takes as well.
MAX_MESSAGE_SIZE = 16 << 20
