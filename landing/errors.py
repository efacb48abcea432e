"""The errors of the landing zone.

LandingError
├── ObjectMissing       the key names nothing
├── ObjectExists        put_new found the key taken
├── StoreUnavailable    the store did not answer, or failed; trying again may help
├── PoisonObject        the bytes are not what their key promises; trying again will not help
└── SitesFileInvalid    the sites file cannot be used
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong in a file, and where.

    Attributes:
        line: From 1.
        path: Keys and indexes from the top, as in `sites.shop.secrets[0].hash`; empty for the whole file.
        message: What is wrong and what is right.
    """

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.path}: {self.message}" if self.path else f"line {self.line}: {self.message}"


class LandingError(Exception):
    """Base of every error raised by `landing`. The message names the thing and the remedy."""


class ObjectMissing(LandingError):
    """No object has this key."""


class ObjectExists(LandingError):
    """An object already has this key; it was left as it is."""


class StoreUnavailable(LandingError):
    """The store failed or could not be reached; whether the operation took effect is unknown."""


class PoisonObject(LandingError):
    """An object's bytes do not fit its contract: not Parquet, another schema, damaged."""


class SitesFileInvalid(LandingError):
    """The sites file breaks its contract. The message lists every problem with line and path.

    Attributes:
        problems: In the order of the file; never empty.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
