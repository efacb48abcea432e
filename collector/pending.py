"""Work that waits for the disk without holding a thread.

A coroutine that awaits a `Pending` leaves its thread there, and whoever settles the `Pending` runs the rest of it.
There is no event loop: a thread of the server begins the work, the spool's thread ends it.
"""

from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class Pending:
    """Something that is not done yet; awaiting it ends once it is settled.

    Args:
        begin: Called with it once somebody waits; sees to it that `settle` is called.

    Attributes:
        failure: Raised to whoever waits; None when all went well.
    """

    __slots__ = ("_begin", "_work", "failure")

    def __init__(self, begin: Callable[[Any], None]) -> None:
        self._begin = begin
        self._work: Work[None] | None = None
        self.failure: Exception | None = None

    def __await__(self) -> Generator["Pending", None, None]:
        """Leave the thread; end or raise when settled."""
        yield self
        if self.failure is not None:
            raise self.failure

    def wait(self, work: "Work[None]") -> None:
        """Go on with `work` once this is settled."""
        self._work = work
        self._begin(self)

    def settle(self) -> None:
        """Run the rest of the work, here and now."""
        if self._work is not None:
            start(self._work)


Work = Coroutine[Pending, None, Result]
"""What `async def` makes, awaiting nothing but what is pending here."""


def start(work: Work[None]) -> None:
    """Run `work` until it ends or has to wait; then this returns and another thread runs the rest."""
    try:
        pending = work.send(None)
    except StopIteration:
        return
    pending.wait(work)


def wait_for(work: Coroutine[Any, None, Result]) -> Result:
    """Run `work` and wait for its end, for callers that have a thread to spare; returns or raises what it does."""
    future: Future[Result] = Future()

    async def tell() -> None:
        try:
            future.set_result(await work)
        except BaseException as error:  # noqa: BLE001  (raised to the caller)
            future.set_exception(error)

    start(tell())
    return future.result()
