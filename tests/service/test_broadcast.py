"""Broadcaster: what each subscriber gets, in threads and in tasks, however they and the source take turns."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastvarlink import Broadcaster
from fastvarlink.service import broadcast

PATIENCE = 10.0

try:
    import uvloop

    LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
except ImportError:
    LOOPS = [asyncio.new_event_loop]


def run(main: Coroutine[Any, Any, None], factory: Callable[[], Any] = asyncio.new_event_loop) -> None:
    async def limited() -> None:
        async with asyncio.timeout(3 * PATIENCE):
            await main

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(limited())


async def settle() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


class Modelled:
    """A reader, beside the plainest thing that it can be: a list."""

    def __init__(self, feed: Broadcaster[int], asynchronous: bool) -> None:
        self.subscription = feed.subscribe()
        self.asynchronous = asynchronous
        self.iterator: Any = aiter(self.subscription) if asynchronous else iter(self.subscription)
        self.pending: asyncio.Task[int] | None = None
        self.kept: list[int] = []
        self.lost = 0

    async def take(self) -> int:
        value: int = await anext(self.iterator) if self.asynchronous else next(self.iterator)
        return value

    async def rest(self) -> list[int]:
        return [value async for value in self.iterator] if self.asynchronous else list(self.iterator)


class Model:
    """A broadcaster, and what is to be expected of it. Values are numbers that count up."""

    def __init__(self, keep: int, wait: bool) -> None:
        self.keep, self.wait = keep, wait
        self.feed: Broadcaster[int] = Broadcaster(0, keep=keep, wait=wait)
        self.state = self.last = 0
        self.readers: list[Modelled] = []
        self.offered: list[tuple[int, asyncio.Task[None]]] = []

    async def publish(self, _: int) -> None:
        self.last += 1
        self.offered.append((self.last, asyncio.create_task(self.feed.publish_async(self.last))))

    async def give_up(self, which: int) -> None:
        if self.offered:
            _, task = self.offered.pop(which % len(self.offered))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def join(self, which: int) -> None:
        reader = Modelled(self.feed, bool(which % 2))
        assert await reader.take() == self.state
        self.readers.append(reader)

    async def leave(self, which: int) -> None:
        idle = [reader for reader in self.readers if reader.pending is None]
        if idle:
            reader = idle[which % len(idle)]
            self.readers.remove(reader)
            if reader.asynchronous:
                await reader.iterator.aclose()
            else:
                reader.iterator.close()

    async def take(self, which: int) -> None:
        if not self.readers:
            return
        reader = self.readers[which % len(self.readers)]
        if reader.kept:
            assert await reader.take() == reader.kept.pop(0)
        elif reader.asynchronous and reader.pending is None:
            reader.pending = asyncio.create_task(reader.take())

    async def check(self) -> None:
        """Let everything happen that can, there and here."""
        await settle()
        moved = True
        while moved:
            moved = False
            for reader in self.readers:
                if reader.pending is not None and reader.kept:
                    assert reader.pending.done()
                    assert reader.pending.result() == reader.kept.pop(0)
                    reader.pending = None
                    moved = True
            if self.offered and not (self.wait and any(len(r.kept) >= self.keep for r in self.readers)):
                self.state, task = self.offered.pop(0)
                assert task.done()
                for reader in self.readers:
                    reader.kept.append(self.state)
                    if len(reader.kept) > self.keep:
                        del reader.kept[0]
                        reader.lost += 1
                moved = True
        assert not any(task.done() for _, task in self.offered)
        assert not any(reader.pending.done() for reader in self.readers if reader.pending is not None)
        assert self.feed.state == self.state

    async def end(self) -> None:
        self.feed.close()
        await settle()
        for _, task in self.offered:
            with pytest.raises(RuntimeError, match="has been closed"):
                await task
        for reader in self.readers:
            if reader.pending is not None:
                with pytest.raises(StopAsyncIteration):
                    await reader.pending
            assert await reader.rest() == reader.kept
            assert reader.subscription.lost == reader.lost
        with pytest.raises(RuntimeError, match="has been closed"):
            await self.feed.publish_async(1)


STEPS = st.tuples(
    st.sampled_from(["publish", "publish", "take", "take", "join", "leave", "give_up"]), st.integers(0, 5)
)


@pytest.mark.parametrize("wait", [False, True])
@settings(max_examples=60, deadline=None)
@given(keep=st.integers(1, 4), steps=st.lists(STEPS, max_size=40))
def test_whatever_the_order_each_gets_what_it_should(
    wait: bool, keep: int, steps: list[tuple[str, int]]
) -> None:
    async def main() -> None:
        model = Model(keep, wait)
        # At once, so that there is something to see.
        for name, which in [("join", 0), ("join", 1), *steps]:
            await getattr(model, name)(which)
            await model.check()
        await model.end()

    run(main())


def started(feed: Broadcaster[Any], count: int, take: Callable[[Iterator[Any]], Any]) -> list[Any]:
    """Begin that many subscribers in threads; each has the state when this returns, and take() the rest."""
    there = threading.Barrier(count + 1)

    def subscribe() -> Any:
        values = iter(feed.subscribe())
        next(values)
        there.wait(PATIENCE)
        return take(values)

    pool = ThreadPoolExecutor(count)
    futures = [pool.submit(subscribe) for _ in range(count)]
    there.wait(PATIENCE)
    pool.shutdown(wait=False)
    return futures


def in_threads(*functions: Callable[[], Any]) -> None:
    with ThreadPoolExecutor(len(functions)) as pool:
        for future in [pool.submit(function) for function in functions]:
            future.result(PATIENCE)


@pytest.mark.parametrize("keep", [1, 3])
def test_nothing_is_lost_between_threads_that_wait(keep: int) -> None:
    feed: Broadcaster[Any] = Broadcaster("first", keep=keep, wait=True)
    readers = started(feed, 4, list)

    def publish(name: str) -> None:
        for i in range(300):
            feed.publish((name, i))

    in_threads(*(lambda name=name: publish(name) for name in "abc"))
    feed.close()
    seen = [reader.result(PATIENCE) for reader in readers]
    # All see the same order, in which each source's own is kept.
    assert all(values == seen[0] for values in seen)
    for name in "abc":
        assert [i for source, i in seen[0] if source == name] == list(range(300))


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("what", ["publish", "close"])
def test_nobody_sleeps_through_what_comes_just_before(
    asynchronous: bool, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "_LOOK", 10 * PATIENCE)
    feed: Broadcaster[int] = Broadcaster(0)

    class Bed(set[Any]):
        """Where a reader lies down that has found nothing."""

        def add(self, sleeper: Any) -> None:
            in_threads((lambda: feed.publish(1)) if what == "publish" else feed.close)
            asleep.append(sleeper)
            super().add(sleeper)

    asleep: list[Any] = []
    feed._sleepers = Bed()

    async def read_in_a_task() -> list[int]:
        values = aiter(feed.subscribe())
        return [await anext(values), await anext(values, -1)]

    def read() -> list[int]:
        values = iter(feed.subscribe())
        return [next(values), next(values, -1)]

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(lambda: asyncio.run(read_in_a_task()) if asynchronous else read())
        try:
            assert reading.result(PATIENCE) == [0, 1 if what == "publish" else -1]
        finally:
            # Wakes it, should it have slept all the same.
            feed._sleepers.update(asleep)
            feed.close()


def test_threads_that_do_not_wait_get_what_is_newest() -> None:
    feed: Broadcaster[int] = Broadcaster(0, keep=5)
    subscriptions = [feed.subscribe() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(list, subscription) for subscription in subscriptions]
        for i in range(1, 5000):
            feed.publish(i)
        feed.close()
        for reader, subscription in zip(readers, subscriptions, strict=True):
            values = reader.result(PATIENCE)
            assert values == sorted(set(values))
            assert values[-1] == 4999
            assert subscription.lost == values[-1] - values[0] + 1 - len(values)


def test_a_subscription_gives_the_newest_state_at_its_end() -> None:
    feed: Broadcaster[int] = Broadcaster(1, keep=3)
    values = iter(feed.subscribe())
    assert next(values) == 1
    feed.publish(2)
    feed.publish(3)
    feed.close()
    assert [next(values), next(values)] == [2, 3]
    with pytest.raises(StopIteration) as end:
        next(values)
    assert end.value.value == 3


def test_without_a_state_the_first_value_is_waited_for() -> None:
    feed: Broadcaster[int] = Broadcaster()
    assert feed.state is None
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: next(iter(feed.subscribe())))
        feed.publish(5)
        assert first.result(PATIENCE) == 5
    assert feed.state == 5
    empty: Broadcaster[int] = Broadcaster()
    empty.close()
    assert list(empty.subscribe()) == []


def test_who_waits_for_room_is_released() -> None:
    feed: Broadcaster[int] = Broadcaster(0, wait=True)
    values = iter(feed.subscribe())
    next(values)
    feed.publish(1)
    # Nobody has it then.
    with pytest.raises(TimeoutError, match=r"After 0\.01 seconds"):
        feed.publish(99, timeout=0.01)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.publish, 2)
        assert next(values) == 1
        waiting.result(PATIENCE)
        waiting = pool.submit(feed.publish, 3)
        # By one that leaves.
        values.close()
        waiting.result(PATIENCE)
        assert feed.state == 3
        values = iter(feed.subscribe())
        assert next(values) == 3
        feed.publish(4)
        waiting = pool.submit(feed.publish, 5)
        feed.close()
        with pytest.raises(RuntimeError, match="has been closed"):
            waiting.result(PATIENCE)
    assert list(values) == [4]


def test_a_task_does_not_hold_up_its_event_loop() -> None:
    async def main() -> None:
        feed: Broadcaster[int] = Broadcaster(0, wait=True)
        with pytest.raises(RuntimeError, match=r"await publish_async\(\)"):
            feed.publish(1)
        assert feed.state == 0
        # Where nobody waits it is as well as any other.
        quick: Broadcaster[int] = Broadcaster(0)
        quick.publish(1)
        await quick.publish_async(2)
        assert quick.state == 2

    run(main())


@pytest.mark.parametrize("factory", LOOPS)
@pytest.mark.parametrize("wait", [False, True])
def test_threads_and_event_loops_share_one_source(factory: Callable[[], Any], wait: bool) -> None:
    feed: Broadcaster[int] = Broadcaster(0, keep=1000 if not wait else 2, wait=wait)
    there, published = threading.Barrier(4), threading.Event()
    seen: deque[list[int]] = deque()

    async def read() -> None:
        values: list[int] = []
        async for value in feed.subscribe():
            if value == 0:
                await asyncio.to_thread(there.wait, PATIENCE)
            values.append(value)
        seen.append(values)

    async def publish_and_read() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            while feed.state == 0:
                await asyncio.sleep(0.001)
            for i in range(1000, 1200):
                await feed.publish_async(i)
            published.set()

    def publish() -> None:
        there.wait(PATIENCE)
        for i in range(1, 201):
            feed.publish(i)

    with ThreadPoolExecutor(4) as pool:
        loops = [pool.submit(run, main(), factory) for main in (read, read, publish_and_read)]
        pool.submit(publish).result(PATIENCE)
        assert published.wait(PATIENCE)
        feed.close()
        for loop in loops:
            loop.result(PATIENCE)
    assert len(seen) == 3
    for values in seen:
        assert values == seen[0]
        assert [value for value in values if value < 1000] == list(range(201))
        assert [value for value in values if value >= 1000] == list(range(1000, 1200))


@pytest.mark.parametrize("factory", LOOPS)
def test_a_task_that_is_cancelled_leaves(factory: Callable[[], Any]) -> None:
    async def main() -> None:
        feed: Broadcaster[int] = Broadcaster(0, wait=True)
        got: list[int] = []

        async def read() -> None:
            async for value in feed.subscribe():
                got.append(value)
                await asyncio.Event().wait()

        reader = asyncio.create_task(read())
        await settle()
        await feed.publish_async(1)
        waiting = asyncio.create_task(feed.publish_async(2))
        await settle()
        assert not waiting.done()
        reader.cancel()
        await waiting
        assert (feed.state, got) == (2, [0])

    run(main(), factory)


def test_a_subscription_is_for_one_reader() -> None:
    feed: Broadcaster[int] = Broadcaster(0)
    subscription = feed.subscribe()
    first = iter(subscription)
    next(first)
    with pytest.raises(RuntimeError, match="iterated over already"):
        next(iter(subscription))
    first.close()
    assert next(iter(subscription)) == 0
    with pytest.raises(ValueError, match="keep is 0"):
        Broadcaster(keep=0)


def test_replies_say_whether_another_one_follows() -> None:
    feed: Broadcaster[dict[str, int]] = Broadcaster({"i": 0})
    replies = iter(feed.subscribe().replies())
    assert next(replies) == {"i": 0, "_continues": True}
    feed.publish({"i": 1})
    feed.close()
    assert list(replies) == [{"i": 1, "_continues": True}, {"i": 1, "_continues": False}]
    empty: Broadcaster[dict[str, int]] = Broadcaster()
    empty.close()
    assert list(empty.subscribe().replies()) == []

    async def main() -> None:
        found = [reply async for reply in feed.subscribe().replies()]
        assert found == [{"i": 1, "_continues": True}, {"i": 1, "_continues": False}]

    run(main())


def test_a_signal_handler_may_publish_in_the_middle_of_anything() -> None:
    feed: Broadcaster[int] = Broadcaster(0, keep=1 << 20)
    values = iter(feed.subscribe())
    next(values)
    handled: SimpleQueue[None] = SimpleQueue()
    interrupted = 0

    def publish(*_: object) -> None:
        nonlocal interrupted
        interrupted += 1
        feed.publish(-interrupted)
        handled.put(None)

    def interrupt(main: int) -> None:
        # One after the other: their handlers would run inside each other.
        for _ in range(100):
            signal.pthread_kill(main, signal.SIGUSR1)
            handled.get(timeout=PATIENCE)

    before = signal.signal(signal.SIGUSR1, publish)
    try:
        with ThreadPoolExecutor(1) as pool:
            interrupting = pool.submit(interrupt, threading.get_ident())
            published = 0
            while not interrupting.done():
                published += 1
                feed.publish(published)
            interrupting.result()
    finally:
        signal.signal(signal.SIGUSR1, before)
    feed.close()
    seen = list(values)
    assert [value for value in seen if value > 0] == list(range(1, published + 1))
    assert [-value for value in seen if value < 0] == list(range(1, interrupted + 1))


def test_the_garbage_collector_may_end_a_subscriber_in_the_middle_of_anything() -> None:
    feed: Broadcaster[int] = Broadcaster(0, keep=2, wait=True)
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for i in range(300):
            values = iter(feed.subscribe())
            next(values)
            circle: list[Any] = [values]
            circle.append(circle)
            del values, circle
            feed.publish(i, timeout=PATIENCE)
    finally:
        gc.set_threshold(*thresholds)
