"""What `gjestenett up` starts on this machine, and what it says about it: addresses, and what is off and why."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gateway.announcement import REMEDIES, announcement
from gateway.clock import utc_now
from gateway.errors import GatewayError, UsageError
from gateway.settings import Settings, config_path, signing_key_path
from gateway.supervisor import Service

if TYPE_CHECKING:
    from gateway.context import Services

log = logging.getLogger(__name__)

CAP_NET_ADMIN, CAP_NET_RAW = 12, 13


def services_to_run(settings: Settings, command: Sequence[str]) -> list[Service]:
    """The services of this machine; `command` is how the command line is started."""
    names = ["jobs", "dns", "portal", "console"]
    if signing_key_path(settings).exists():
        names.insert(0, "sealer")
    services = [Service(name, [*command, name]) for name in names]
    if settings.enforcement.enabled:
        services.insert(0, Service("enforcer", [*command, "enforcer"], privileged=True))
        if settings.enforcement.advertise_portal:
            services.append(Service("watch", [*command, "watch"], keeps=frozenset({CAP_NET_RAW})))
    return services


def check_enforcement(settings: Settings) -> None:
    """Raises: UsageError when enforcement is asked for and this process can't do it."""
    if settings.enforcement.advertise_portal and not _has_capability(CAP_NET_RAW):
        raise UsageError("enforcement.advertise_portal needs the capability NET_RAW; run as root, or set it to false")
    if not _has_capability(CAP_NET_ADMIN):
        raise UsageError("enforcement.enabled needs the capability NET_ADMIN; run as root, or set it to false")
    if shutil.which("nft") is None:
        raise UsageError("enforcement.enabled needs the command nft; install the package nftables")


def hold_state(settings: Settings) -> IO[str]:
    """Take the state directory for this process, until the file returned is closed.

    Raises: UsageError when another supervisor has it, or it can't be written.
    """
    folder = settings.state / "run"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise UsageError(f"{folder} can't be used ({error.strerror}); choose another --state directory") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise UsageError(f"{settings.state} is in use by process {holder}; stop it first") from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


Lines = Mapping[str, Sequence[str]]
"""What is printed of each service once it is ready."""


def addresses(settings: Settings, setup_link: str | None) -> Lines:
    """What each service has to say once it is ready: what listens where; of the console, how to sign in first."""
    from captive_portal.auth.accounts import console_url  # noqa: PLC0415 - the one outward edge

    dns = [_row("dns", f"{_bracketed(str(address))}:{settings.dns.port}") for address in settings.dns.listen]
    if settings.portal.tls_certificate is not None:
        dns += [_row("dns over tls", f"{_bracketed(str(one))}:{settings.dns.tls_port}") for one in settings.dns.listen]
    console = [_row("console", console_url(settings.console) + "/")]
    if setup_link is not None:
        console.append(_row("first sign-in", f"{setup_link}  (one use, 24 hours)"))
    return {"portal": [_row("guest portal", settings.public_url + "/")], "console": console, "dns": dns}


def _row(label: str, words: str) -> str:
    return f"{label:<14} {words}"


def in_child(work: Callable[[], Lines]) -> Lines:
    """What `work` returns, done in a forked child, so that what only a start needs does not stay in the supervisor's
    memory.

    Raises: SystemExit with the child's exit code when it failed; it has said why.
    """
    answer, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(answer)
            with os.fdopen(told, "w", encoding="utf-8") as out:
                json.dump(work(), out)
            sys.stdout.flush()
            os._exit(0)
        except GatewayError as error:
            print(f"gjestenett: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
            os._exit(error.exit_code)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(told)
    with os.fdopen(answer, encoding="utf-8") as read:
        text = read.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.exit(code)
    found: Lines = json.loads(text)
    return found


def keep_settings(config: Path | None, settings: Settings) -> Path | None:
    """A copy of the settings file for the services, so that those in force stay so until the next start.

    A file that is damaged while everything runs then harms nothing, whichever service has to start again.
    """
    source = config_path(config)
    if source is None:
        return None
    kept = settings.state / "run" / "settings.toml"
    try:
        kept.write_bytes(source.read_bytes())
    except OSError as error:
        raise UsageError(f"{kept} can't be written ({error.strerror}); check the state directory") from error
    return kept


def settings_in_words(config: Path | None) -> str:
    """Which settings file counts, as the first line that `up` prints; the pages send people to it."""
    source = config_path(config)
    return str(source.absolute()) if source is not None else "as delivered; `gjestenett config starter` prints a file"


def prepare_and_announce(settings: Settings, say: Callable[[str], object]) -> Lines:
    """Bring the installation to where every service can start, close the doors, and print what is on and off.

    Returns what is printed of each service once it listens. The ruleset is in force before anything listens, so that no
    guest reaches what only staff may.
    """
    from gateway.checks import check  # noqa: PLC0415 - in the child only
    from gateway.installation import prepare  # noqa: PLC0415

    for warning in check(settings, utc_now()):
        log.warning("%s", warning)
    if settings.enforcement.enabled:
        from gateway.firewall.config import firewall_config  # noqa: PLC0415
        from gateway.firewall.nft import NftFirewall  # noqa: PLC0415
        from gateway.link.routes import non_default_routes  # noqa: PLC0415

        check_enforcement(settings)
        NftFirewall().install(firewall_config(settings), non_default_routes())
    services = prepare(settings, utc_now)
    lines = announce(services, say)
    services.database.close()
    return lines


def announce(services: Services, say: Callable[[str], object]) -> Lines:
    """Print what is off, and the certificate to expect. Returns where everything will be, and how to sign in first."""
    from captive_portal.auth.certificate import ensure_certificate  # noqa: PLC0415 - the one outward edge
    from captive_portal.auth.setup import first_setup_link  # noqa: PLC0415

    settings = services.settings
    certificate = ensure_certificate(settings.state, settings.console, services.clock())
    say(_row("certificate", f"SHA-256 {certificate.sha256}"))
    if not settings.enforcement.enabled:
        say(_row("enforcer", "off: enforcement.enabled is false, so nothing is let through or held back"))
    if not signing_key_path(settings).exists():
        say(_row("sealer", "off: the log's signing key is on another machine, which seals"))
    announced = announcement(settings, services.clock())
    if announced.withheld is None:
        say(_row("portal API", announced.uri))
    elif announced.withheld != "not_enforced":
        say(_row("portal API", f"withheld from DHCP and RA: {REMEDIES[announced.withheld]}"))
    if settings.portal.tls_certificate is None:
        say(_row("portal https", "off: portal.tls_certificate is not set"))
        say(_row("dns over tls", "off: portal.tls_certificate is not set"))
    return addresses(settings, first_setup_link(services))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _has_capability(number: int) -> bool:
    with open(f"/proc/{os.getpid()}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> number & 1)
    return False
