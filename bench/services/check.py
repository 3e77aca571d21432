"""Print the nanoseconds that a call takes to be decoded, or to be decoded and checked.

Usage: check.py loads|check SECONDS small|records
loads is orjson.loads of the whole call; check does that and then checks the parameters that came of it
against their declaration, as a service does.
"""

import sys
from time import perf_counter_ns

import orjson

from fastvarlink.idl import tree
from fastvarlink.idl.checkers import Checkers
from fastvarlink.idl.parser import parse

DEFINITION = """
interface org.example.check
type Record (id: int, name: string, active: bool, score: float, tags: []string)
method Ping(ping: string) -> ()
method Put(records: []Record) -> ()
"""
RECORDS = [
    {"id": i, "name": f"user {i}", "active": i % 2 == 0, "score": i * 1.5, "tags": ["one", "two"]}
    for i in range(1000)
]
CALLS = {
    "small": {"method": "org.example.check.Ping", "parameters": {"ping": "hello"}},
    "records": {"method": "org.example.check.Put", "parameters": {"records": RECORDS}},
}


def main() -> None:
    """Repeat until the seconds have passed, after a fifth of them to warm up."""
    _, mode, seconds_text, which = sys.argv
    seconds = float(seconds_text)
    interface = parse(DEFINITION)
    method = next(m for m in interface.members if CALLS[which]["method"] == f"{interface.name}.{m.name}")
    assert isinstance(method, tree.Method)
    take = Checkers(interface).of(method.input).take
    data, loads = orjson.dumps(CALLS[which]), orjson.loads
    batch = 1 if which == "records" else 1000
    done = 0
    warm = perf_counter_ns() + seconds * 1e9 / 5
    begin = 0
    while True:
        if mode == "check":
            for _ in range(batch):
                take(loads(data)["parameters"])
        else:
            for _ in range(batch):
                loads(data)["parameters"]
        now = perf_counter_ns()
        if not begin:
            if now >= warm:
                begin = now
            continue
        done += batch
        if now - begin >= seconds * 1e9:
            break
    print(f"{(now - begin) / done:.1f}")


main()
