"""Ids: of events, of cookieless visitors; and what of an address may be kept. Pure functions."""

import functools
import hashlib
import os
import re
import uuid

from collector.plans import parse_address

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NAMESPACE = uuid.UUID("6f0d3c4e-1d5b-5f0b-9a55-7d1a1f3d9c10")
_SAYS_NOTHING = {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}
_VISITOR_BYTES = 16
_VARIANT_OF = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}
"""Of a random digit, the one that keeps two of its bits and says that the UUID is of RFC 9562's variant."""


def event_id(site_id: str, protocol: str, client_id: str | None) -> str:
    """The id of an event: the client's where it is a UUID, else derived from it, else new.

    Deliveries of one event by a client that names it get the same id; the nil and the max UUID name nothing.
    """
    if client_id is None or client_id in _SAYS_NOTHING:
        return new_id()
    if _UUID.fullmatch(client_id):
        return client_id
    try:
        canonical = str(uuid.UUID(client_id))
    except ValueError:
        return derived_id(site_id, protocol, client_id)
    return new_id() if canonical in _SAYS_NOTHING else canonical


def new_id() -> str:
    """A random UUID, made without the object that `uuid` would make of it first."""
    digits = os.urandom(16).hex()
    variant = _VARIANT_OF[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def derived_id(*parts: str) -> str:
    """A UUID that depends on `parts` alone."""
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    return str(uuid.uuid5(_NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)))


def hashed_visitor(salt: bytes, *, site_id: str, address: str | None, user_agent: str | None, day: str = "") -> str:
    """Id of a visitor who sends none: 32 hex digits that mean nothing without the salt.

    Args:
        salt: 32 bytes, of the site-local date or of imports.
        site_id: Visitors of different sites never compare.
        address: The full address; it is not kept.
        user_agent: As sent.
        day: Site-local date, for salts that outlive one.
    """
    parts = (site_id, address or "", user_agent or "", day)
    message = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(message, key=salt, digest_size=_VISITOR_BYTES).hexdigest()


def truncated(address: str) -> str | None:
    """The network of an address: /24 of IPv4, /48 of IPv6; None for what is no address."""
    parsed = parse_address(address)
    if parsed is None:
        return None
    kept_bits = 24 if parsed.version == 4 else 48  # noqa: PLR2004  (the IP version)
    dropped_bits = parsed.max_prefixlen - kept_bits
    return str(type(parsed)(int(parsed) >> dropped_bits << dropped_bits))


@functools.lru_cache(maxsize=8_192)
def kept_address(address: str | None, policy: str) -> str | None:
    """What the site's policy (truncate, drop or full) keeps of an address."""
    if address is None or policy == "drop":
        return None
    if policy == "full":
        parsed = parse_address(address)
        return None if parsed is None else str(parsed)
    return truncated(address)
