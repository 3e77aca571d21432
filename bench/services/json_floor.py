"""Print the nanoseconds that orjson alone takes for one echo of a text.

Usage: json_floor.py SECONDS BYTES
Summed for both sides: the client dumps the call, the server loads it and dumps the reply, the
client loads that.
"""

import sys
from string import ascii_lowercase
from time import perf_counter_ns

import orjson


def main() -> None:
    """Repeat the four steps until the seconds have passed."""
    seconds, size = float(sys.argv[1]), int(sys.argv[2])
    text = (ascii_lowercase * (size // 26 + 1))[:size]
    call = {"method": "org.example.ping.Echo", "parameters": {"text": text}}
    done = 0
    warm = perf_counter_ns() + seconds * 1e9 / 5
    begin = 0
    while True:
        received = orjson.loads(orjson.dumps(call))
        orjson.loads(orjson.dumps({"parameters": {"text": received["parameters"]["text"]}}))
        now = perf_counter_ns()
        if not begin:
            if now >= warm:
                begin = now
            continue
        done += 1
        if now - begin >= seconds * 1e9:
            break
    print(f"{(now - begin) / done:.1f}")


main()
