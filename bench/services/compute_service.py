"""A service whose only method computes, in Python alone. Arguments: its address and the number of workers."""

import sys

import fastvarlink

service = fastvarlink.Service()


@service.interface("interface org.example.compute\nmethod Sum(count: int) -> (sum: int)\n")
class Compute:
    """What a handler costs that never waits."""

    def Sum(self, count: int) -> dict[str, int]:
        """Add so many numbers, one by one."""
        total = 0
        for number in range(count):
            total += number
        return {"sum": total}


service.serve(sys.argv[1], workers=int(sys.argv[2]), ready=lambda: print("ready", flush=True))
