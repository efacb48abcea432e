"""A writer of tiny databases in MaxMind's format, enough for tests of lookups.

Source: the MaxMind DB file format, version 2.0: a binary tree of 24-bit records, sixteen zero bytes, the data section,
then a marker and the metadata map.
"""

import ipaddress
import struct
from pathlib import Path
from typing import Any, NamedTuple

_MARKER = b"\xab\xcd\xefMaxMind.com"
_SEPARATOR = bytes(16)
_IPV4_DEPTH = 96
"""Bits above an IPv4 address in the tree of an IPv6 database."""


class _Unsigned(NamedTuple):
    """An unsigned integer and the type under which readers expect it: 5 for 16, 6 for 32, 9 for 64 bits."""

    number: int
    kind: int


def write_database(path: Path, networks: dict[str, dict[str, Any]], *, kind: str = "GeoLite2-City") -> Path:
    """Write a database of `networks` (such as `192.0.2.0/24`) and what is known of each."""
    tree: list[list[Any]] = [[None, None]]
    for network, record in networks.items():
        _insert(tree, _bits(network), record)
    data, offsets = b"", {}
    for record in networks.values():
        offsets[id(record)] = len(data)
        data += _encode(record)
    nodes = b"".join(_record(side, len(tree), offsets).to_bytes(3, "big") for node in tree for side in node)
    metadata = {
        "node_count": _Unsigned(len(tree), 6),
        "record_size": _Unsigned(24, 5),
        "ip_version": _Unsigned(6, 5),
        "database_type": kind,
        "languages": ["en"],
        "binary_format_major_version": _Unsigned(2, 5),
        "binary_format_minor_version": _Unsigned(0, 5),
        "build_epoch": _Unsigned(1_700_000_000, 9),
        "description": {"en": "test"},
    }
    path.write_bytes(nodes + _SEPARATOR + data + _MARKER + _encode(metadata))
    return path


def _bits(network: str) -> str:
    parsed = ipaddress.ip_network(network)
    if parsed.version == 4:
        return "0" * _IPV4_DEPTH + f"{int(parsed.network_address):032b}"[: parsed.prefixlen]
    return f"{int(parsed.network_address):0128b}"[: parsed.prefixlen]


def _insert(tree: list[list[Any]], bits: str, record: dict[str, Any]) -> None:
    node = 0
    for bit in bits[:-1]:
        if tree[node][int(bit)] is None:
            tree.append([None, None])
            tree[node][int(bit)] = len(tree) - 1
        node = tree[node][int(bit)]
    tree[node][int(bits[-1])] = record


def _record(side: Any, node_count: int, offsets: dict[int, int]) -> int:
    """A node's number, the place of its data, or `node_count` for nothing."""
    if side is None:
        return node_count
    if isinstance(side, int):
        return side
    return node_count + len(_SEPARATOR) + offsets[id(side)]


def _encode(value: Any) -> bytes:
    if isinstance(value, str):
        data = value.encode()
        return _control(2, len(data)) + data
    if isinstance(value, float):
        return _control(3, 8) + struct.pack(">d", value)
    if isinstance(value, _Unsigned):
        data = value.number.to_bytes((value.number.bit_length() + 7) // 8, "big")
        return _control(value.kind, len(data)) + data
    if isinstance(value, dict):
        return _control(7, len(value)) + b"".join(_encode(part) for pair in value.items() for part in pair)
    return _control(11, len(value)) + b"".join(_encode(part) for part in value)


def _control(kind: int, size: int) -> bytes:
    extended = kind > 7
    first = 0 if extended else kind << 5
    extra = bytes([kind - 7]) if extended else b""
    if size < 29:
        return bytes([first | size]) + extra
    return bytes([first | 29]) + extra + bytes([size - 29])
