"""A worker process of Granian, but for two things that its configuration does not offer.

Answers may come later and from another thread, so that a request waits for the disk without holding a thread. And
while the server drains, clients are told to close their connections: Granian lets busy ones go on until it is killed.
Both are put in place in the worker process alone, where Granian (of the version locked) looks them up.
"""

import signal
from typing import TYPE_CHECKING, Any

from granian import Granian, _signals
from granian.server import mp

from collector.pending import start

if TYPE_CHECKING:  # the parent of all workers imports this before it may import counters
    from collections.abc import Callable

    from collector.front import Environment, Front

    Answerer = Callable[[Any, Environment], None]


_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def run_worker(*args: Any) -> None:  # noqa: ANN401  (Granian's own)
    """Serve until SIGTERM or SIGINT; returns when every connection is closed."""
    # Granian listens for them last; one that came before would be lost, and this process killed some seconds later.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    server: Any = mp
    signals: Any = _signals
    wrap_plain, set_signals = server._wsgi_call_wrap, signals.set_main_signals  # noqa: SLF001  (see above)

    def wrap(front: "Front", *options: object) -> "Answerer":
        def set_draining_signals(stop: "Callable[..., None]") -> None:
            def drain(*received: object) -> None:
                front.is_draining = True
                stop(*received)

            set_signals(drain)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)

        signals.set_main_signals = set_draining_signals
        return _answering(front, wrap_plain(front, *options))

    server._wsgi_call_wrap = wrap  # noqa: SLF001
    Granian._spawn_wsgi_worker(*args)  # noqa: SLF001


def _answering(front: "Front", plain: "Answerer") -> "Answerer":
    """What Granian calls for each request, in one of its threads.

    Args:
        front: Answers requests with events.
        plain: Answers all others, as Granian does by itself.
    """

    async def answer(protocol: Any, environment: "Environment") -> None:  # noqa: ANN401  (Granian's own)
        answered = await front.answer(environment)
        if answered is None:
            plain(protocol, environment)
        else:
            protocol.response_bytes(*answered)

    def begin(protocol: Any, environment: "Environment") -> None:  # noqa: ANN401
        environment["wsgi.input_terminated"] = True
        start(answer(protocol, environment))

    return begin
