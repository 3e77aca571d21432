"""One source, many subscribers: a state that changes, and streams that tell of it.

The values that a source has published last are kept once, with their numbers, and each subscriber knows which
number comes next for it. So publishing costs nothing for those that are busy with something else; those that
sleep are woken.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Mapping
from contextlib import aclosing, closing
from typing import Any, Generic, TypeVar

from fastvarlink._core.context import Context, Ending
from fastvarlink.service.sleepers import Sleeper, TaskSleeper, ThreadSleeper, running_loop, wake

__all__ = ["Broadcaster", "Subscription"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

# Seconds after which a thread that waits for a value looks by itself whether its client is still there:
# where one thread serves everything, nobody else does.
_LOOK = 1.0


class Broadcaster(Generic[_T]):
    """Gives what one source publishes to any number of subscribers, each of which begins with the state.

        feed = Broadcaster(Reading(20.5))

        @fastvarlink.method(live=True)
        def Monitor(self, _context: fastvarlink.Context) -> Iterable[Reading]:
            return feed.subscribe(_context)

        feed.publish(Reading(21.0))

    ``state`` is what is known at first; without it subscribers begin with the first value that is published.
    ``keep`` is how many values, at least one, are kept for a subscriber that is slower than the source. Of
    more it loses the oldest, and can tell how many: with 1 it gets the newest state whenever it is ready for
    one. With ``wait`` none is lost: who publishes waits until all subscribers have room.

    Values are handed on as they are, to all subscribers: they are not to be changed any more. Any thread and
    any task may publish and subscribe, in any number of event loops. A signal handler may publish where it
    need not ``wait``. A broadcaster belongs to one process.
    """

    def __init__(self, state: _T | None = None, *, keep: int = 1, wait: bool = False) -> None:
        if keep < 1:
            raise ValueError(f"keep is {keep}: a subscriber needs at least one value.")
        self._keep = keep
        self._wait = wait
        # Never held for long. The same thread may come a second time, by a signal or by the garbage
        # collector, which closes a generator in the middle of anything.
        self._lock = threading.RLock()
        # Read without the lock: a value comes in before its number is passed, and goes after it is too old.
        self._values: dict[int, _T] = {}
        self._end = 0
        self._closed = False
        self._offers: deque[_Offer[_T]] = deque()
        self._advancing = self._again = False
        # Those that the source waits for, and what sleeps until there is a value.
        self._readers: set[Subscription[_T]] = set()
        self._sleepers: set[Sleeper] = set()
        if state is not None:
            self._values[0] = state
            self._end = 1

    @property
    def state(self) -> _T | None:
        """The value that was published last; None before there is any."""
        while self._end:
            try:
                return self._values[self._end - 1]
            except KeyError:
                # Others have come between the two looks.
                pass
        return None

    def publish(self, value: _T, timeout: float | None = None) -> None:
        """Give a value to all subscribers.

        With ``wait``, it returns when all have had room for it, and those that wait longer get their turns
        first. TimeoutError, and the value is given to nobody, if that takes more than ``timeout`` seconds. A
        subscriber that publishes between two values that it takes may wait for itself, for ever: give it a
        ``timeout``. In an event loop publish_async() has to be awaited instead, and RuntimeError says so.
        RuntimeError also if the broadcaster is closed, or is while it waits.
        """
        if not self._wait:
            self._offer(_Offer(value, None))
            return
        if running_loop() is not None:
            raise RuntimeError("publish() may wait and would hold up the event loop: await publish_async().")
        sleeper = ThreadSleeper()
        offer = _Offer(value, sleeper)
        deadline = None if timeout is None else time.monotonic() + timeout
        try:
            self._offer(offer)
            while not offer.taken:
                self._check_open()
                left = -1.0 if deadline is None else deadline - time.monotonic()
                if deadline is None or left > 0:
                    sleeper.sleep(left)
                elif self._withdraw(offer):
                    raise TimeoutError(f"After {timeout} seconds not all subscribers have had room.")
        except BaseException:
            self._withdraw(offer)
            raise

    async def publish_async(self, value: _T) -> None:
        """As publish(), for a task: with ``wait`` it is awaited until there is room.

        If the task is cancelled meanwhile, the value is given to nobody.
        """
        if not self._wait:
            self._offer(_Offer(value, None))
            return
        sleeper = TaskSleeper()
        offer = _Offer(value, sleeper)
        try:
            self._offer(offer)
            while not offer.taken:
                self._check_open()
                await sleeper.sleep()
        except BaseException:
            self._withdraw(offer)
            raise

    def subscribe(self, context: Context | None = None) -> Subscription[_T]:
        """What one subscriber iterates over, in a thread or in a task.

        ``context`` is that of the call whose stream it is: it ends when the client goes, or the server is to
        end.
        """
        return Subscription(self, context)

    def close(self) -> None:
        """Publish nothing more: subscribers end when they have what was published."""
        with self._lock:
            self._closed = True
            waiting = [offer.sleeper for offer in self._offers if offer.sleeper is not None]
            self._offers.clear()
            sleepers = tuple(self._sleepers)
        wake((*waiting, *sleepers))

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("The broadcaster has been closed: nothing more can be published.")

    def _offer(self, offer: _Offer[_T]) -> None:
        with self._lock:
            self._check_open()
            self._offers.append(offer)
        self._advance()

    def _withdraw(self, offer: _Offer[_T]) -> bool:
        """Take an offer back; False if it has been taken."""
        with self._lock:
            if offer not in self._offers:
                return False
            self._offers.remove(offer)
            return True

    def _advance(self) -> None:
        """Take what has been offered, as far as there is room, and wake who waits for that."""
        woken: list[Sleeper] = []
        with self._lock:
            # If this thread is at it already, that goes on from here.
            self._again = True
            if self._advancing:
                return
            self._advancing = True
            try:
                while self._again:
                    self._again = False
                    while self._offers and self._has_room():
                        woken += self._take_offer()
            finally:
                self._advancing = False
        try:
            wake(woken)
        except BaseException:
            # A signal's handler has raised. They sleep on, until the next value.
            self._sleepers.update(woken)
            raise

    def _has_room(self) -> bool:
        return not self._wait or not any(reader._is_full() for reader in tuple(self._readers))

    def _take_offer(self) -> Iterable[Sleeper]:
        """Make the oldest offer the state; returns who is to be woken."""
        offer = self._offers[0]
        self._values[self._end] = offer.value
        self._end += 1
        self._offers.popleft()
        offer.taken = True
        self._values.pop(self._end - self._keep - 1, None)
        sleepers, self._sleepers = self._sleepers, set()
        # Some may only just be lying down there; they look once more when they have.
        return tuple(sleepers) if offer.sleeper is None else (offer.sleeper, *tuple(sleepers))

    def _forget(self, reader: Subscription[_T]) -> None:
        """Wait for a subscriber no more: it has left."""
        if self._wait:
            with self._lock:
                self._readers.discard(reader)
            self._advance()


class Subscription(Generic[_T_co]):
    """What one subscriber gets: to be iterated over, with ``for`` or with ``async for``.

    It begins with the state of the moment in which the iteration begins. It is over when its call should come
    to its end or the broadcaster is closed; what had been published by then, and is still kept, comes first,
    unless the client has gone.

    A typed handler that streams live returns it, or what ``yield from`` it gives: the newest state once more.
    That is the last reply, since only the last one may say that none follows. Handlers that are not typed
    have replies() for the same.

    ``lost`` is the number of values that were published and not kept until they could be taken.
    """

    __slots__ = ("_context", "_ending", "_feed", "_limit", "_next", "_sleeper", "lost")

    def __init__(self, feed: Broadcaster[_T_co], context: Context | None) -> None:
        self.lost = 0
        self._feed = feed
        self._context = context
        self._ending: Ending | None = None
        self._sleeper: Sleeper | None = None
        # The number of the next value, and of the first one that it does not get any more.
        self._next = 0
        self._limit: int | None = None

    def __iter__(self) -> Generator[_T_co, None, _T_co | None]:
        sleeper = ThreadSleeper()
        self._claim(sleeper)
        try:
            self._begin()
            while not self._is_over():
                if self._has_next():
                    yield self._take()
                    continue
                if self._context is not None and self._context.cancelled:
                    continue
                self._feed._sleepers.add(sleeper)
                if not self._has_next() and not self._is_over():
                    sleeper.sleep(_LOOK)
            return self._feed.state
        finally:
            self._leave()

    def __aiter__(self) -> _Awaited[_T_co]:
        return _Awaited(self)

    async def _values(self) -> AsyncGenerator[_T_co, None]:
        sleeper = TaskSleeper()
        self._claim(sleeper)
        try:
            self._begin()
            while not self._is_over():
                if self._has_next():
                    yield self._take()
                    continue
                self._feed._sleepers.add(sleeper)
                if not self._has_next() and not self._is_over():
                    await sleeper.sleep()
        finally:
            self._leave()

    def replies(self: Subscription[Mapping[str, Any]]) -> Replies:
        """The same for a handler that is not typed: dicts that say whether another one follows.

        def Monitor(self, _context):
            yield from feed.subscribe(_context).replies()
        """
        return Replies(self)

    def _claim(self, sleeper: Sleeper) -> None:
        if self._sleeper is not None:
            raise RuntimeError("This subscription is iterated over already: subscribe() gives another one.")
        self._sleeper = sleeper

    def _begin(self) -> None:
        feed = self._feed
        self._limit = None
        with feed._lock:
            self._next = max(feed._end - 1, 0)
            if feed._wait:
                feed._readers.add(self)
        if self._context is not None:
            self._ending = self._context.on_end(self._finish)

    def _finish(self) -> None:
        """No more than what is there: called by any thread, and by signal handlers."""
        # Somebody who has gone needs none of it, whatever the handler is about.
        gone = self._context is not None and self._context.cancelled
        self._limit = 0 if gone else self._feed._end
        self._feed._advance()
        sleeper = self._sleeper
        if sleeper is not None:
            wake((sleeper,))

    def _leave(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.close()
        self._feed._forget(self)
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is not None:
            self._feed._sleepers.discard(sleeper)

    def _has_next(self) -> bool:
        return self._next < self._feed._end

    def _is_full(self) -> bool:
        if self._limit is not None and self._next >= self._limit:
            return False
        return self._feed._end - self._next >= self._feed._keep

    def _is_over(self) -> bool:
        if self._limit is not None and self._next >= self._limit:
            return True
        # In this order: nothing comes once it is closed.
        return self._feed._closed and not self._has_next()

    def _take(self) -> _T_co:
        feed = self._feed
        if not feed._wait:
            return self._take_oldest()
        with feed._lock:
            was_full = self._is_full()
            value = self._take_oldest()
        if was_full and feed._offers:
            feed._advance()
        return value

    def _take_oldest(self) -> _T_co:
        feed = self._feed
        while True:
            number = max(self._next, feed._end - feed._keep)
            try:
                value = feed._values[number]
            except KeyError:
                # It has become too old between the two looks.
                continue
            self.lost += number - self._next
            self._next = number + 1
            return value


class _Awaited(AsyncIterator[_T_co]):
    """The values of a subscription, awaited. What it returns stands in the StopAsyncIteration at its end."""

    def __init__(self, subscription: Subscription[_T_co]) -> None:
        self._feed = subscription._feed
        self._values = subscription._values()

    async def __anext__(self) -> _T_co:
        try:
            return await anext(self._values)
        except StopAsyncIteration:
            raise StopAsyncIteration(self._feed.state) from None

    async def aclose(self) -> None:
        """Leave it."""
        await self._values.aclose()


class Replies:
    """The values of a Subscription as the replies of a handler that is not typed.

    Each is a copy with ``"_continues": True``, but for the last one, which is the newest state once more. If
    there has never been any, there is no last one: the stream then ends with an empty reply, where the method
    may have one, and otherwise with an error.
    """

    def __init__(self, values: Subscription[Mapping[str, Any]]) -> None:
        self._values = values

    def __iter__(self) -> Generator[dict[str, Any], None, None]:
        with closing(iter(self._values)) as values:
            for value in values:
                yield {**value, "_continues": True}
        yield from self._last()

    async def __aiter__(self) -> AsyncGenerator[dict[str, Any], None]:
        async with aclosing(aiter(self._values)) as values:
            async for value in values:
                yield {**value, "_continues": True}
        for reply in self._last():
            yield reply

    def _last(self) -> list[dict[str, Any]]:
        state = self._values._feed.state
        return [] if state is None else [{**state, "_continues": False}]


class _Offer(Generic[_T]):
    """A value that is to be published, and who waits until it is."""

    __slots__ = ("sleeper", "taken", "value")

    def __init__(self, value: _T, sleeper: Sleeper | None) -> None:
        self.value = value
        self.sleeper = sleeper
        self.taken = False
