"""How Google's servers answer: the same whatever the hits are worth."""

import base64

from collector.endpoint import Cors
from collector.reading import Outcome
from collector.refusal import Reason, Refused
from collector.request import Answer, Request

_GIF = base64.b64decode("R0lGODlhAQABAID/AP///wAAACwAAAAAAQABAAACAkQBADs=")
_NEVER_CACHED = (
    ("Cache-Control", "no-cache, no-store, must-revalidate"),
    ("Pragma", "no-cache"),
    ("Expires", "Mon, 01 Jan 1990 00:00:00 GMT"),
    ("X-Content-Type-Options", "nosniff"),
)

PIXEL = Answer(200, _GIF, (("Content-Type", "image/gif"), *_NEVER_CACHED))
"""A transparent pixel of 35 bytes."""
ENOUGH = Answer(200, b"1", (("Content-Type", "text/plain"), *_NEVER_CACHED))
"""Tells analytics.js that no second beacon is needed."""
NOTHING = Answer(204, b"", _NEVER_CACHED)
"""What GA4 answers."""

CORS = Cors(
    credentials=True,
    allowed_headers="Origin, X-Requested-With, Content-Type, Accept, Authorization",
    allowed_methods="GET, HEAD, OPTIONS, POST",
    without_origin="*",
)
"""Webalytic's script sends cookies with its requests, so the origin is named."""


def answer_json(document: bytes) -> Answer:
    """What the validation endpoints answer."""
    return Answer(200, document, (("Content-Type", "application/json; charset=utf-8"), *_NEVER_CACHED))


class Same:
    """One answer to everything that is durable.

    Args:
        answer: The answer.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def accept(self, _request: Request, _outcome: Outcome) -> Answer:
        """A hit that was refused gets the same."""
        return self._answer

    def refuse(self, _request: Request, refused: Refused) -> Answer:
        """A body beyond every limit is the one thing that a client is told."""
        if refused.reason is Reason.BODY_TOO_LARGE:
            return Answer(413, b"", _NEVER_CACHED)
        return self._answer

    def show(self, _request: Request, _directory: object) -> Answer:
        """To HEAD, which keeps nothing."""
        return self._answer
