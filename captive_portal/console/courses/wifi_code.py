"""The text of a QR code that joins a Wi-Fi network, `WIFI:T:…;S:…;P:…;;`: pure.

The form is that of WPA3 Specification 3.x §7.1 and of ZXing, which phones read: backslash, semicolon, comma, colon and
double quote are escaped by a backslash; a name or password of hexadecimal digits alone stands in double quotes, for it
would else be taken for bytes.
"""

from __future__ import annotations

import re
from typing import Literal

_MARKS = re.compile(r'([\\;,:"])')
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def wifi_text(ssid: str, security: Literal["open", "wpa"], password: str = "", *, hidden: bool = False) -> str:
    """What the code says. `password` is for `wpa` only."""
    parts = [f"T:{'WPA' if security == 'wpa' else 'nopass'}", f"S:{_value(ssid)}"]
    if security == "wpa":
        parts.append(f"P:{_value(password)}")
    if hidden:
        parts.append("H:true")
    return f"WIFI:{';'.join(parts)};;"


def _value(text: str) -> str:
    return f'"{text}"' if _HEX.fullmatch(text) else _MARKS.sub(r"\\\1", text)
