"""ThreadingServer: as many threads as have something to do."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from fastvarlink._core.reactor import Reactor
from fastvarlink._core.watchdog import watch
from fastvarlink.server.server import Server

logger = logging.getLogger("fastvarlink.server")


class ThreadingServer(Server):
    """Serves so that a handler that blocks holds up nobody but its own connection.

    Handlers run on threads of the server's own, never on the one that called serve_forever(). A handler
    that does not block is run by the thread that received the call.
    """

    daemon_threads = True

    def __init__(
        self,
        server_address: str,
        RequestHandlerClass: Any,
        bind_and_activate: bool = True,
        **options: Any,
    ) -> None:
        self._threads: set[threading.Thread] = set()
        super().__init__(server_address, RequestHandlerClass, bind_and_activate, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        """As Server does; a request handler with code of its own gets a thread of its own."""
        if self._direct_service(request) is not None:
            super().process_request(request, client_address)
        else:
            self._run_thread(self._process_in_thread, request, client_address)

    def _process_in_thread(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            self.shutdown_request(request)

    def _run_thread(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(
            target=self._thread_main, args=(target, *args), name="fastvarlink", daemon=True
        )
        # A signal handler may raise anywhere here, and the thread go on or never have begun: it stays in
        # the set then.
        self._threads.add(thread)
        handled = sys.exception()
        try:
            thread.start()
        except Exception as failure:
            raised = failure.__context__
            if raised is not None and raised is not handled:
                # A handler raised where Python's own code held a lock, which complained in its stead.
                raise raised from None
            self._threads.discard(thread)
            raise

    def _thread_main(self, target: Callable[..., None], *args: Any) -> None:
        try:
            target(*args)
        finally:
            self._threads.discard(threading.current_thread())

    def _new_reactor(self) -> Reactor:
        return Reactor(self._spawn, self.busy_poll)

    def _spawn(self) -> bool:
        assert self._reactor is not None
        try:
            self._run_thread(self._work, self._reactor)
        except RuntimeError as failure:
            logger.warning("No thread can be started for now: %s", failure)
            return False
        except MemoryError:
            # Nor is there any to say so.
            return False
        return True

    def _work(self, reactor: Reactor) -> None:
        while True:
            try:
                reactor.work()
                return
            except SystemExit:
                # As in any thread: it ends what the thread did, here a call, and nothing else.
                reactor.offer()
            except BaseException:
                reactor.offer()
                self._report()

    def _serve(self, poll_interval: float) -> None:
        reactor = self._reactor
        assert reactor is not None
        # One to lead, one to take over.
        for _ in range(2):
            self._run_thread(self._work, reactor)
        reactor.offer()
        while watch(reactor, poll_interval if self._acts() else -1):
            self.service_actions()

    def _threads_have_ended(self) -> bool:
        ended = super()._threads_have_ended()
        deadline = time.monotonic() + self.close_timeout
        for thread in list(self._threads):
            if not thread.is_alive():
                # It has ended, or only begins, and finds a reactor that has stopped.
                continue
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
            ended = ended and not thread.is_alive()
        return ended
