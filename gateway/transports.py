"""Closing a connection at once, on every Python."""

from __future__ import annotations

import asyncio
import contextlib


def abort(transport: asyncio.WriteTransport) -> None:
    """Close a connection at once, whatever is still to be sent; one that is closed already stays so."""
    with contextlib.suppress(AttributeError):  # Python before 3.11.4 has let go of a lost TLS one
        transport.abort()
