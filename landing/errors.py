"""The errors of the landing zone.

LandingError
├── ObjectMissing       the key names nothing
├── ObjectExists        put_new found the key taken
├── StoreUnavailable    the store did not answer, or failed; trying again may help
├── PoisonObject        the bytes are not what their key promises; trying again will not help
└── SitesFileInvalid    the sites file cannot be used
"""


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
    """The sites file breaks its contract. The message lists every problem with line and path."""
