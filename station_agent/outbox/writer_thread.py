"""A thread of its own for what blocks: calls are carried out in order, outcomes come to the loop."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar("Result")
Settle = Callable[[Any, Exception | None], None]
"""Takes the result, or None and the error, in the loop's thread."""


class WriterThread:
    """Cheaper than an executor: no future of the thread's own, one hop there and one back."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Callable[..., Any], Any, Settle] | None]
        self._jobs = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def post(self, function: Callable[..., Any], arguments: Any, settle: Settle) -> None:
        """Have `function(*arguments)` called in the thread and `settle` afterwards in the loop."""
        self._jobs.put((function, arguments, settle))

    async def call(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Wait for `function(*arguments)`, called after all that was posted before."""
        done: asyncio.Future[Result] = self._loop.create_future()

        def settle(result: Result, error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(result)
            else:
                done.set_exception(error)

        self.post(function, arguments, settle)
        return await done

    async def stop(self) -> None:
        """Let the thread finish what was posted, and end it."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, arguments, settle = job
            result: Any = None
            failure: Exception | None = None
            try:
                result = function(*arguments)
            except Exception as error:  # noqa: BLE001 - handed to the loop, whatever it is
                failure = error
            try:
                self._loop.call_soon_threadsafe(settle, result, failure)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more
