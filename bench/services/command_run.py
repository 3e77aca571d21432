"""Run a command several times and print nanoseconds per run, from its start to its end.

Usage: command_run.py RUNS COMMAND...
       command_run.py --lines COUNT COMMAND...
With --lines it is run once, with COUNT times the parameters of a Ping as its standard input, and the figure
is nanoseconds per line. What it prints is thrown away, but it must succeed.
"""

import subprocess
import sys
import tempfile
from statistics import median
from time import perf_counter_ns

LINE = b'{"ping": "hello"}\n'
ANSWER = b'{"parameters":{"pong":"hello"}}\n'


def timed_run(command: list[str]) -> int:
    """Return the nanoseconds that one run takes."""
    begin = perf_counter_ns()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    taken = perf_counter_ns() - begin
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with status {done.returncode}.")
    return taken


def timed_lines(count: int, command: list[str]) -> float:
    """Return the nanoseconds per line of one run with so many lines."""
    with tempfile.TemporaryFile() as lines, tempfile.TemporaryFile() as answers:
        lines.write(LINE * count)
        lines.seek(0)
        begin = perf_counter_ns()
        subprocess.run(command, stdin=lines, stdout=answers, check=True)
        taken = perf_counter_ns() - begin
        answers.seek(0)
        if answers.read() != ANSWER * count:
            raise SystemExit("The calls were answered wrongly.")
    return taken / count


def main() -> None:
    """Run as asked and print the figure."""
    if sys.argv[1] == "--lines":
        print(f"{timed_lines(int(sys.argv[2]), sys.argv[3:]):.1f}")
    else:
        print(f"{median(timed_run(sys.argv[2:]) for _ in range(int(sys.argv[1]))):.1f}")


main()
