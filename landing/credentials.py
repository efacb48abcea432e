"""Secrets of the sites file: made into hashes, verified without slowing every request down."""

import base64
import binascii
import hashlib
import hmac
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_LOG2_N = 14
_R = 8
_P = 1
"""scrypt's cost: 16 MiB and some 40 ms. Secrets are long and made by machines, so this is ample."""

_LOG2_N_MAX = 20
_R_MAX = 32
_P_MAX = 16
"""Bounds of what a sites file may ask of a worker's memory and time: 4 GiB would be a denial of service."""
_MEMORY_MAX_BYTES = 256 * 2**20

_SALT_BYTES = 16
_KEY_BYTES = 32
_REFUSALS_KEPT = 4_096


def hash_secret(plain: str) -> str:
    """`scrypt$<log2 n>$<r>$<p>$<salt>$<key>`, salt and key in base64; another text at each call.

    Raises:
        ValueError: the secret is empty.
    """
    if not plain:
        raise ValueError("a secret cannot be empty")
    salt = os.urandom(_SALT_BYTES)
    key = hashlib.scrypt(
        plain.encode(), salt=salt, n=1 << _LOG2_N, r=_R, p=_P, dklen=_KEY_BYTES, maxmem=_MEMORY_MAX_BYTES
    )
    return "$".join(
        ["scrypt", str(_LOG2_N), str(_R), str(_P), *(base64.b64encode(part).decode() for part in (salt, key))]
    )


def digest_of(secret: str) -> bytes:
    """SHA-256 of a secret; enough for long ones that machines made."""
    return hashlib.sha256(secret.encode()).digest()


def is_one_of(presented: str, digests: Iterable[bytes]) -> bool:
    """Whether the digest of `presented` is one of these; in a time that tells nothing of which or how nearly."""
    digest = digest_of(presented)
    return sum([hmac.compare_digest(digest, each) for each in digests]) > 0


class Secret(BaseModel):
    """One of the secrets that open a site's server-side API.

    Attributes:
        name: What people call it; shown in messages.
        hash: As `hash_secret` makes it.
        plain: The secret itself; for development only, reported as a warning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    hash: str | None = Field(default=None, repr=False)
    plain: str | None = Field(default=None, repr=False, min_length=1)

    @model_validator(mode="after")
    def _exactly_one_form(self) -> Self:
        if (self.hash is None) == (self.plain is None):
            raise ValueError("needs either hash or plain")
        if self.hash is not None:
            _parse(self.hash)
        return self


class SecretVerifier:
    """Tells whether a presented secret is one of some known ones.

    Deriving a key costs some 40 ms by design, so answers are remembered: under a digest of the presented
    secret and the hash, keyed with a random key of this process. Neither secrets nor anything that could be
    searched for offline stays in memory, and a changed hash is asked anew by itself. Derivations are made
    one at a time: a flood of wrong secrets costs at most one core. Safe for several threads.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._accepted: set[bytes] = set()  # bounded by the number of hashes ever configured
        self._refused: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, presented: str, secrets: tuple[Secret, ...]) -> bool:
        """Whether `presented` is one of `secrets`."""
        return any(self._matches(presented.encode(errors="surrogatepass"), secret) for secret in secrets)

    def _matches(self, presented: bytes, secret: Secret) -> bool:
        if secret.hash is None:
            return hmac.compare_digest(presented, (secret.plain or "").encode())
        digest = self._digest(presented, secret.hash)
        if digest in self._accepted:
            return True
        with self._lock:
            # Another thread may have found the answer while this one waited.
            if digest in self._refused:
                self._refused.move_to_end(digest)
                return False
            if digest not in self._accepted:
                if not _derives(presented, secret.hash):
                    self._refused[digest] = None
                    if len(self._refused) > _REFUSALS_KEPT:
                        self._refused.popitem(last=False)
                    return False
                self._accepted.add(digest)
            return True

    def _digest(self, presented: bytes, hash_: str) -> bytes:
        # A hash holds no NUL, so no other pair gives the same text.
        return hashlib.blake2b(hash_.encode() + b"\0" + presented, key=self._key, digest_size=32).digest()


def _derives(presented: bytes, hash_: str) -> bool:
    n, r, p, salt, key = _parse(hash_)
    derived = hashlib.scrypt(presented, salt=salt, n=n, r=r, p=p, dklen=len(key), maxmem=_MEMORY_MAX_BYTES)
    return hmac.compare_digest(derived, key)


def _parse(hash_: str) -> tuple[int, int, int, bytes, bytes]:
    """n, r, p, salt and key of a hash. Raises ValueError for any other text."""
    try:
        scheme, log2_n, r, p, salt, key = hash_.split("$")
        numbers = [int(number) for number in (log2_n, r, p)]
        parts = [base64.b64decode(part, validate=True) for part in (salt, key)]
    except (ValueError, binascii.Error):
        raise ValueError("not a hash made by `tidemill sites hash-secret`") from None
    in_bounds = all(1 <= number <= most for number, most in zip(numbers, (_LOG2_N_MAX, _R_MAX, _P_MAX), strict=True))
    # The size of scrypt's table, by RFC 7914: 128 * n * r bytes.
    if not in_bounds or 128 * (1 << numbers[0]) * numbers[1] >= _MEMORY_MAX_BYTES:
        raise ValueError("this hash asks for more memory or time than the collector grants")
    if scheme != "scrypt" or len(parts[0]) < _SALT_BYTES or len(parts[1]) < _KEY_BYTES:
        raise ValueError("not a hash made by `tidemill sites hash-secret`")
    return 1 << numbers[0], numbers[1], numbers[2], parts[0], parts[1]
