"""Services: interfaces, the objects that implement them, and how a call finds its way to them."""

from fastvarlink.service.service import Service

__all__ = ["Service"]
