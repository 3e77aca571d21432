"""The groups of measurements, in the order of the report, and how long each is measured.

All of them take less than 15 minutes, less than 2 with QUICK=1, on two cores that have nothing else to do and
where the environment has been made. With QUICK=1 most are measured once.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How long to measure: rounds, seconds a contestant and round, and the sizes."""

    rounds: int
    seconds: str
    replies: str = "20000"
    slow_echo: int = 1 << 20

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.rounds} rounds, {self.seconds} s a contestant and round"


@dataclass(frozen=True)
class Group:
    """The measurements of one file."""

    title: str
    full: Pace
    quick: Pace


BRIEF = Pace(1, "0.04", "5000", 1 << 17)
GROUPS = {
    "test_speed": Group("Small calls, windows and streams", Pace(9, "0.5"), Pace(2, "0.08", "5000")),
    "test_latency": Group("Latency", Pace(7, "0.5"), BRIEF),
    "test_busy_poll": Group("Two cores, and a busy poll", Pace(7, "0.3"), BRIEF),
    "test_peers": Group("Other libraries for calls between processes", Pace(7, "0.3"), BRIEF),
    "test_payloads": Group("Payloads", Pace(5, "0.3"), BRIEF),
    "test_connections": Group("Connections", Pace(5, "0.3"), BRIEF),
    "test_loops": Group("Event loops", Pace(5, "0.3"), BRIEF),
    "test_definitions": Group("Definitions and checks", Pace(7, "0.3"), BRIEF),
    "test_command": Group("The command", Pace(5, "0.5"), BRIEF),
    "test_start": Group("Imports", Pace(5, "0.5"), BRIEF),
    "test_systemd": Group("systemd", Pace(5, "0.3"), BRIEF),
}
