"""The supervisor: it has workers serve, replaces those that die, and never serves itself.

A generation of workers is forked; each gets ready, says so, and waits. When all of them have, they are told
to take connections, and those of the generation before to retire. So a generation of which one fails has
not served anybody, and is given up.

One loop waits for signals, messages of the workers, and times. It starts no threads, and waits for no
children but its own. Times are monotonic, in seconds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import time
from collections.abc import Callable
from socket import socket

from fastvarlink.error import WorkerError
from fastvarlink.server import worker
from fastvarlink.server.child import Child
from fastvarlink.server.listening import Listening
from fastvarlink.server.notify import Notifier, watchdog_interval
from fastvarlink.server.program import Settings
from fastvarlink.server.server import Server
from fastvarlink.server.signals import SignalPipe
from fastvarlink.server.turns import Turns
from fastvarlink.server.worker import heard, tell
from fastvarlink.service import Service

__all__ = ["supervise"]

logger = logging.getLogger("fastvarlink.server")

# How long to wait before a worker is replaced that has died soon: at first, and at most, doubling in between.
FIRST_DELAY, LAST_DELAY = 0.1, 30.0
# A worker that has lived for so long has not died soon.
LONG_ENOUGH = 5.0
# What a worker may take, beyond the time to drain, to end its threads and itself.
GRACE = Server.close_timeout + 1.0
# How long all take no connections while they are asked whether they are idle.
PAUSE = 1.0
LONGEST_WAIT = 3600.0


class Supervision:
    """The workers of one call of serve()."""

    def __init__(
        self,
        size: int,
        service: Service | Callable[[], Service],
        listening: Listening,
        settings: Settings,
        ready: Callable[[], None] | None,
    ) -> None:
        self._size = size
        self._service = service
        self._listening = listening
        self._settings = settings
        self._ready = ready
        self._notifier = Notifier()
        self._interval = watchdog_interval()
        self._next_sign = float("inf")
        self._turns = Turns(size)
        self._workers: list[Child] = []
        # Places without a worker, and when they get one; and how long that takes at each.
        self._vacant: dict[int, float] = {}
        self._delays = [0.0] * size
        # The last one that was begun; the one that serves, and the one that gets ready.
        self._generations = 0
        self._generation: int | None = None
        self._coming: int | None = None
        self._told = False
        self._ending = False
        # While all are asked whether they are idle: which time that is, who has not answered, and until when.
        self._pauses = 0
        self._asked: list[Child] | None = None
        self._pause_end = 0.0
        self._signals = SignalPipe()

    def close(self) -> None:
        """End those that are left."""
        self._kill_all()
        self._signals.close()
        self._turns.close()

    def run(self) -> None:
        """Have the workers serve until they have ended."""
        self._begin_generation()
        while self._workers or self._vacant:
            self._wait()
            self._reap()
            self._look_at_the_clock()

    # ---- what happens

    def _wait(self) -> None:
        """Wait for signals, messages and the next time at which there is something to do."""
        poll = select.poll()
        poll.register(self._signals, select.POLLIN)
        open_channels = {each.channel.fileno(): each for each in self._workers if each.channel.fileno() >= 0}
        for fd in open_channels:
            poll.register(fd, select.POLLIN)
        times = [self._next_sign, *self._vacant.values()]
        times += [each.end_by for each in self._workers if each.end_by is not None]
        if self._asked is not None:
            times.append(self._pause_end)
        left = min(LONGEST_WAIT, max(0.0, min(times) - time.monotonic()))
        for fd, _ in poll.poll(int(left * 1000) + 1):
            if fd != self._signals.fileno() and not self._hear(open_channels[fd]):
                # Nobody else has it: the worker ends, or can be told nothing any more.
                open_channels[fd].channel.close()
                open_channels[fd].kill()
        self._heed_signals()

    def _heed_signals(self) -> None:
        try:
            numbers = self._signals.read()
        except BlockingIOError:
            return
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._end(signal.Signals(number))
            elif number == signal.SIGHUP:
                self._reload()

    def _hear(self, each: Child) -> bool:
        """Take a worker's messages. False if there will be no more."""
        try:
            while (message := heard(each.channel)) is not None:
                word, rest = message
                each.heard = time.monotonic()
                if word == worker.READY:
                    each.ready = True
                    self._got_ready(each)
                elif word == worker.IDLE:
                    each.idle = True
                    self._ask_if_idle()
                elif word in (worker.STILL, worker.BUSY):
                    self._answered(each, word == worker.STILL, rest)
                elif word == worker.FAILED:
                    each.failure = f" ({rest.decode()})"
        except EOFError:
            return False
        return True

    def _reap(self) -> None:
        for each in list(self._workers):
            how = each.ended()
            if how is None:
                continue
            if each.channel.fileno() >= 0:
                self._hear(each)
            self._workers.remove(each)
            each.channel.close()
            if not any(other.serving and other.place == each.place for other in self._workers):
                self._turns.clear(each.place)
            self._resume()
            if each.dismissed or self._ending:
                # It may have been the last one that was in the way.
                self._ask_if_idle()
            elif each.generation == self._coming:
                self._give_up(f"A new worker {how} before it was ready{each.failure}.")
            else:
                self._replace(each, how)

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for place, due in list(self._vacant.items()):
            if due <= now:
                del self._vacant[place]
                try:
                    self._begin_worker(place, self._generation or 0)
                except (OSError, MemoryError) as failure:
                    logger.error("No worker can be started: %s", failure)
                    self._leave_vacant(place, 0.0)
        for each in self._workers:
            if each.end_by is not None and each.end_by <= now:
                logger.warning("The worker %d has not ended in time: it is killed.", each.pid)
                each.end_by = None
                each.kill()
        if self._asked is not None and self._pause_end <= now:
            self._resume()
        if self._next_sign <= now:
            self._watch(now)

    # ---- generations

    def _begin_generation(self) -> None:
        self._generations += 1
        self._coming = self._generations
        try:
            for place in range(self._size):
                self._begin_worker(place, self._coming)
        except (OSError, MemoryError) as failure:
            self._give_up(f"No worker can be started: {failure!r}.")

    def _begin_worker(self, place: int, generation: int) -> None:
        each = Child(place, generation)

        def run(channel: socket) -> int:
            for other in self._workers:
                other.channel.close()
            interval = None if self._interval is None else self._interval / 2
            supervisor = worker.Supervisor(channel, self._turns, place, interval, self._settings.drain_time)
            return worker.run_worker(self._service, self._listening, self._settings, supervisor, channel)

        # Among them before it begins: nobody is forgotten, whatever fails.
        self._workers.append(each)
        try:
            each.fork(self._signals, run)
        except BaseException:
            if each.pid == 0:
                self._workers.remove(each)
                each.channel.close()
            raise

    def _got_ready(self, each: Child) -> None:
        if each.dismissed:
            return
        if each.generation != self._coming:
            self._let_accept(each)
        elif all(other.ready for other in self._workers if other.generation == self._coming):
            self._change_generations()

    def _change_generations(self) -> None:
        first = self._generation is None
        before, self._generation, self._coming = self._workers, self._coming, None
        self._resume()
        self._vacant.clear()
        self._delays = [0.0] * self._size
        for each in before:
            if each.generation == self._generation:
                self._let_accept(each)
        for each in before:
            if each.generation != self._generation:
                self._dismiss(each, worker.RETIRE)
        self._notifier.ready()
        if first:
            if self._interval is not None:
                self._next_sign = time.monotonic()
            if self._ready is not None:
                self._ready()
        else:
            logger.info("Reloaded: %d new workers serve.", self._size)

    def _let_accept(self, each: Child) -> None:
        each.serving = True
        each.idle = False
        self._turns.expect(each.place)
        tell(each.channel, worker.ACCEPT)

    def _reload(self) -> None:
        if self._ending:
            return
        self._drop_coming()
        if self._generation is not None:
            self._resume()
            self._notifier.reloading()
        self._begin_generation()

    def _give_up(self, why: str) -> None:
        """The coming generation does not come."""
        self._drop_coming()
        if self._generation is None:
            # Ctrl-C is for all at once: a worker may have ended by it before it was seen here.
            self._heed_signals()
            if self._ending:
                return
            raise WorkerError(f"{why} The log says more.")
        logger.error("%s The reload is given up, and the workers there were go on.", why)
        self._notifier.ready()

    def _drop_coming(self) -> None:
        coming, self._coming = self._coming, None
        for each in self._workers:
            if each.generation == coming:
                self._dismiss(each, worker.DRAIN)

    # ---- those that end

    def _dismiss(self, each: Child, order: bytes) -> None:
        """Have a worker end: as it is told, if it serves; at once, if it has not begun to."""
        each.dismissed = True
        if each.serving:
            tell(each.channel, order)
            each.end_by = time.monotonic() + self._settings.drain_time + GRACE
        else:
            each.kill()

    def _replace(self, each: Child, how: str) -> None:
        lived = time.monotonic() - each.began
        delay = self._leave_vacant(each.place, lived)
        logger.warning(
            "The worker %d %s after %.1f s%s: it is replaced %s.",
            each.pid, how, lived, each.failure, f"in {delay:.1f} s" if delay else "at once",
        )  # fmt: skip

    def _leave_vacant(self, place: int, lived: float) -> float:
        """Have a place filled again, at once or after a while: so many seconds."""
        before = self._delays[place]
        delay = 0.0 if lived >= LONG_ENOUGH else min(max(FIRST_DELAY, before * 2), LAST_DELAY)
        self._delays[place] = delay
        self._vacant[place] = time.monotonic() + delay
        return delay

    def _end(self, number: signal.Signals) -> None:
        """The first time: have all end. The second time: end at once."""
        if self._told:
            self._kill_all()
            self._listening.remove_files()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._told = self._ending = True
        self._notifier.stopping()
        self._asked = self._coming = None
        self._vacant.clear()
        for each in self._workers:
            self._dismiss(each, worker.DRAIN)

    def _kill_all(self) -> None:
        for each in self._workers:
            each.kill()
        for each in self._workers:
            each.wait()
            each.channel.close()
        self._workers.clear()

    # ---- the end of an idle service

    def _ask_if_idle(self) -> None:
        """If all have said that they are idle, have them take no connections, and ask again."""
        if self._ending or self._asked is not None or self._coming is not None or self._vacant:
            return
        idle = [each for each in self._workers if each.serving and each.idle and not each.dismissed]
        if not idle or len(idle) < len(self._workers):
            return
        self._pauses += 1
        self._asked = list(self._workers)
        self._pause_end = time.monotonic() + PAUSE
        for each in self._workers:
            tell(each.channel, b"%s %d" % (worker.PAUSE, self._pauses))

    def _answered(self, each: Child, still: bool, pause: bytes) -> None:
        if not still:
            each.idle = False
        if self._asked is None or pause != b"%d" % self._pauses:
            # Too late: but now it does answer.
            self._ask_if_idle()
            return
        if not still:
            self._resume()
            return
        self._asked.remove(each)
        if self._asked:
            return
        # Nobody takes connections, and there is none: who comes now waits in the queue. Where the socket is a
        # file, nobody comes any more once that is gone, and those in the queue are served.
        self._asked = None
        self._ending = True
        if not self._listening.passed:
            self._listening.remove_files()
        for other in self._workers:
            other.dismissed = True
            tell(other.channel, worker.LEAVE)

    def _resume(self) -> None:
        """Go on, if all have been paused."""
        if self._asked is None:
            return
        self._asked = None
        for each in self._workers:
            if each.serving and not each.dismissed:
                tell(each.channel, worker.ACCEPT)

    # ---- signs of life

    def _watch(self, now: float) -> None:
        """Kill those that give none, and tell the manager if any worker is well."""
        assert self._interval is not None
        if now - self._next_sign > self._interval:
            # This process was held up, as they may have been.
            for each in self._workers:
                each.heard = now
        self._next_sign = now + self._interval
        well = False
        for each in self._workers:
            if now - each.heard <= 2 * self._interval:
                well = well or each.serving
            elif each.ready and each.end_by is None:
                logger.error(
                    "The worker %d has given no sign of life for %.1f s: it is killed.",
                    each.pid, now - each.heard,
                )  # fmt: skip
                each.kill()
        if well:
            self._notifier.watchdog()


def supervise(
    size: int,
    service: Service | Callable[[], Service],
    listening: Listening,
    settings: Settings,
    ready: Callable[[], None] | None,
) -> None:
    """Have so many workers serve the sockets, until they have all ended. WorkerError if they do not start."""
    with contextlib.closing(Supervision(size, service, listening, settings, ready)) as supervision:
        supervision.run()
