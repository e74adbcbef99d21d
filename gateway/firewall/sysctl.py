"""The kernel settings that make a machine a gateway, written through /proc/sys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gateway.errors import GatewayError

PROC_SYS = Path("/proc/sys")


class SysctlError(GatewayError):
    """A kernel setting has another value than the gateway needs and can't be changed from here."""


def gateway_settings(uplink: str) -> dict[str, str]:
    """Keys (as paths below /proc/sys) and values, in the order they must be written."""
    return {
        f"net/ipv6/conf/{uplink}/accept_ra": "2",  # else the uplink loses its default route with forwarding on
        "net/ipv6/conf/all/forwarding": "1",
        "net/ipv4/ip_forward": "1",
        "net/ipv4/tcp_fwmark_accept": "1",  # accepted TCP sockets carry their guest's mark
    }


def apply(settings: Mapping[str, str], root: Path = PROC_SYS) -> tuple[str, ...]:
    """Set each key that differs; returns those that were changed. IPv6 keys of a machine without IPv6 are skipped.

    Raises: SysctlError.
    """
    changed = []
    for key, value in settings.items():
        path = root / key
        try:
            if path.read_text().strip() == value:
                continue
            path.write_text(value)
        except FileNotFoundError as error:
            if key.startswith("net/ipv6/") and not (root / "net/ipv6").exists():
                continue
            raise SysctlError(
                f"{key} does not exist: is the interface there, and does the kernel have this setting?"
            ) from error
        except OSError as error:
            name = key.replace("/", ".")
            raise SysctlError(f"{name} must be {value} and can't be set here: set it in /etc/sysctl.d") from error
        changed.append(key)
    return tuple(changed)
