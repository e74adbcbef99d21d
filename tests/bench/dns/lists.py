"""The list of names to block in the format of each server, made once: RPZ, dnsmasq's, CDB, and our own snapshot."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import gateway.lists
import policies
from gateway.lists.compile import compile_policy, starter_lists
from policies.compiler import ListLike
from policies.document import default_document
from tests.bench.dns.questions import once
from tests.bench.index import MadeList, names


def rpz(path: Path, size: int) -> None:
    """A response policy zone that answers NXDOMAIN for each name and what is below it, as published zones do."""
    with path.open("w", encoding="ascii") as file:
        file.write(
            "$TTL 60\n$ORIGIN rpz.bench.\n@ SOA localhost. root.localhost. 1 3600 600 86400 60\n@ NS localhost.\n"
        )
        file.writelines(f"{name} CNAME .\n*.{name} CNAME .\n" for name in names(0, size))


def dnsmasq(path: Path, size: int) -> None:
    """Lines of dnsmasq's configuration that answer 0.0.0.0 and :: for each name and what is below it."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"address=/{name}/#\n" for name in names(0, size))


def cdb(path: Path, size: int) -> None:
    """A constant database (cr.yp.to/cdb/cdb.txt) whose keys are the names in wire format."""
    buckets = [array("I") for _ in range(256)]
    with path.open("wb") as file:
        at = file.seek(2048)
        for name in names(0, size):
            key = b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"
            file.write(struct.pack("<II", len(key), 1) + key + b"1")
            hashed = 5381
            for octet in key:
                hashed = (hashed * 33 & 0xFFFFFFFF) ^ octet
            buckets[hashed & 255].extend((hashed, at))
            at += 9 + len(key)
        header = bytearray()
        for bucket in buckets:
            slots = len(bucket)  # two numbers an entry, so that half of the slots stay empty
            table = [(0, 0)] * slots
            for hashed, place in zip(bucket[::2], bucket[1::2], strict=True):
                slot = (hashed >> 8) % slots
                while table[slot][1]:
                    slot = (slot + 1) % slots
                table[slot] = hashed, place
            header += struct.pack("<II", at, slots)
            file.writelines(struct.pack("<II", *entry) for entry in table)
            at += 8 * slots
        file.seek(0)
        file.write(header)


def snapshot(path: Path, size: int) -> None:
    """What our own compiler makes of the default policy, the lists that come with the product and the million names."""
    lists: list[ListLike] = [*starter_lists(), MadeList("adult", 0, size)]
    path.write_bytes(compile_policy(default_document(), 1, lists=lists))


FORMATS: dict[str, Callable[[Path, int], None]] = {"rpz": rpz, "dnsmasq": dnsmasq, "cdb": cdb, "snapshot": snapshot}


def file(folder: Path, format_key: str, size: int) -> Path:
    """The list in a format. A kept snapshot is used again only while the compiler is the same."""
    ending = f"{_compiler()}.snapshot" if format_key == "snapshot" else format_key
    return once(folder / f"blocked.{ending}", lambda path: FORMATS[format_key](path, size))


def _compiler() -> str:
    """A short digest of everything that a snapshot is made by and of, but the names."""
    digest = sha256()
    for package in (policies, gateway.lists):
        for path in sorted(Path(package.__path__[0]).rglob("*")):
            if path.suffix in (".py", ".txt"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
