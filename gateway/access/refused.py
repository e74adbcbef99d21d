"""Asking all DNS workers of this machine for the refused names of one device, on its guest's request.

The portal's end of `gateway.dns.refused_channel`. A worker that does not answer is passed over: it holds nothing then,
or is being replaced.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path

from gateway.dns.refused_channel import SUFFIX, opened
from gateway.dns.refused_names import NAMES_MAX, Noted

_PATIENCE_S = 1.0
_ANSWER_MAX_BYTES = 1 << 18


def refused_names(folder: Path, key: str, addresses: Sequence[str], for_s: float) -> tuple[Noted, ...] | None:
    """What all workers together have noted under `key`, and have them note for `for_s` seconds more (0: no more).

    None when no worker answers, as where DNS does not run.
    """
    request = json.dumps({"v": 1, "key": key, "addresses": list(addresses), "for_s": for_s}).encode() + b"\n"
    found: dict[str, Noted] = {}
    answered = False
    try:
        with opened(folder) as base:
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                rows = _ask(f"{base}/{path.name}", request)
                if rows is not None:
                    answered = True
                    for noted in rows:
                        found.setdefault(noted.name, noted)
    except OSError:
        return None
    return tuple(found.values())[:NAMES_MAX] if answered else None


def _ask(address: str, request: bytes) -> list[Noted] | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(_PATIENCE_S)
        try:
            connection.connect(address)
            connection.sendall(request)
            answer = bytearray()
            while chunk := connection.recv(1 << 16):
                answer += chunk
                if len(answer) > _ANSWER_MAX_BYTES:
                    return None
            content = json.loads(answer)
            return [Noted(str(name), str(listed), str(category)) for name, listed, category in content["names"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None
