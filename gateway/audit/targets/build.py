"""From settings to targets."""

from __future__ import annotations

from gateway.audit.cosignature import parse_witness_key
from gateway.audit.targets.directory import DirectoryTarget
from gateway.audit.targets.email import EmailTarget
from gateway.audit.targets.https import HttpsTarget
from gateway.audit.targets.seam import Target, client_tls, read_secret
from gateway.audit.targets.witness import WitnessTarget
from gateway.settings import log


def build_target(chosen: log.AnyTarget, origin: str) -> Target:
    """The target that the settings describe, for the log `origin`. Nothing is opened yet."""
    match chosen:
        case log.DirectoryTarget():
            return DirectoryTarget(chosen.name, chosen.path, origin)
        case log.HttpsTarget():
            return HttpsTarget(chosen.name, chosen.url, chosen.token_file, chosen.ca_file)
        case log.EmailTarget():
            options = chosen.model_dump(exclude={"kind", "every", "name"})
            return EmailTarget(chosen.name, **options)
        case log.WitnessTarget():
            return WitnessTarget(chosen.name, chosen.url, parse_witness_key(chosen.vkey), chosen.ca_file)


def check_target(chosen: log.AnyTarget) -> list[str]:
    """What can be known to be wrong with a target before anything is sent. Raises: TargetError when its files can't
    be used.
    """
    if isinstance(chosen, log.DirectoryTarget):
        return [] if chosen.path.is_dir() else [f"{chosen.path} is no directory; is the share mounted?"]
    client_tls(chosen.ca_file)
    if isinstance(chosen, log.HttpsTarget) and chosen.token_file is not None:
        read_secret(chosen.token_file, "token_file")
    if isinstance(chosen, log.EmailTarget) and chosen.password_file is not None:
        read_secret(chosen.password_file, "password_file")
    return []
