"""A sensor that is watched: one source, and a stream of its readings for whoever asks.

Serve:  python examples/monitor.py --varlink=unix:/tmp/monitor
Call:   python examples/monitor.py --client --varlink=unix:/tmp/monitor
Ask:    varlinkctl call --more unix:/tmp/monitor org.example.sensor.Monitor {}
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from serving import options, serve

import fastvarlink


@dataclass
class Reading:
    """What the sensor has measured."""

    # Counts up from 1.
    number: int
    # In degrees Celsius.
    temperature: float


@fastvarlink.interface("org.example.sensor")
class Sensor:
    """Measures the temperature, again and again."""

    def __init__(self, readings: fastvarlink.Broadcaster[Reading]) -> None:
        self._readings = readings

    # Without live=True each reading would be held back until the next one is there.
    @fastvarlink.method(live=True)
    def Monitor(self, _context: fastvarlink.Context) -> Iterable[Reading]:
        """Send the reading of now, and then each new one; whoever reads slowly misses some."""
        return self._readings.subscribe(_context)


def measure(readings: fastvarlink.Broadcaster[Reading], pause: float) -> None:
    """What a real sensor would tell."""
    for number in itertools.count(1):
        readings.publish(Reading(number, round(20 + 5 * math.sin(number / 10), 2)))
        time.sleep(pause)


def call(address: str, count: int) -> None:
    """Follow the readings for a while."""
    with fastvarlink.Client(address) as client, client.open("org.example.sensor") as sensor:
        for reading in itertools.islice(sensor.Monitor(_more=True), count):
            print(f"{reading['number']}: {reading['temperature']} degrees", flush=True)


def main() -> None:
    parser = options("Shows a stream of what changes.")
    parser.add_argument("--count", type=int, default=5, help="readings that the client follows (5)")
    parser.add_argument("--pause", type=float, default=0.1, help="seconds between two readings")
    arguments = parser.parse_args()
    if arguments.client:
        call(arguments.varlink, arguments.count)
        return
    readings: fastvarlink.Broadcaster[Reading] = fastvarlink.Broadcaster()
    threading.Thread(target=measure, args=(readings, arguments.pause), daemon=True).start()
    service = fastvarlink.Service(
        vendor="fastvarlink", product="Monitor example", version="1", url="https://varlink.org"
    )
    service.interface(Sensor(readings))
    serve(service, arguments.varlink)


if __name__ == "__main__":
    main()
