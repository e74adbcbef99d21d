"""Settings of the log: its key, where its checkpoints are sent, and whose checkpoints are witnessed here.

Each target is a table `[[audit.targets]]` with a `name` and a `kind`; secrets are read from files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.settings.kinds import EmailAddress, HostnameOrAddress, HttpsUrl, Key, LogOrigin, Section
from gateway.settings.mail import MailAccount


def _witness_key(text: str) -> str:
    from gateway.audit.cosignature import parse_witness_key  # noqa: PLC0415 - only those with a witness load it
    from gateway.audit.errors import NoteError  # noqa: PLC0415

    try:
        return str(parse_witness_key(text))
    except NoteError as problem:
        how = "write the key that the witness prints with: gjestenett audit witness-key"
        raise ValueError(f"{problem}; {how}") from None


def _log_key(text: str) -> str:
    from gateway.audit.errors import NoteError  # noqa: PLC0415
    from gateway.audit.note import parse_verifier  # noqa: PLC0415 - only witnesses load it

    try:
        return str(parse_verifier(text))
    except NoteError as problem:
        raise ValueError(f"{problem}; write a line of the other installation's log.vkey") from None


class Target(Section):
    """What every target has: `name` says which it is everywhere; `every` how often it is sent to where nothing is
    asked.
    """

    name: Key
    every: Literal["hour", "day"] = "hour"


class DirectoryTarget(Target):
    """A directory, such as a mounted share. Files are only ever added to it."""

    kind: Literal["directory"]
    path: Path


class HttpsTarget(Target):
    """A service that takes JSON by POST; `token_file` holds the bearer token, `ca_file` the authority of its
    certificate.
    """

    kind: Literal["https"]
    url: HttpsUrl
    token_file: Path | None = None
    ca_file: Path | None = None


class EmailTarget(Target, MailAccount):
    """Addresses that get an e-mail by way of the mail server `host`."""

    kind: Literal["email"]
    to: Annotated[tuple[EmailAddress, ...], Field(min_length=1)]
    sender: EmailAddress
    host: HostnameOrAddress


class WitnessTarget(Target):
    """A witness of the C2SP protocol, such as another installation; `url` is what comes before `/add-checkpoint`."""

    kind: Literal["witness"]
    url: HttpsUrl
    vkey: Annotated[str, AfterValidator(_witness_key)]
    ca_file: Path | None = None


AnyTarget = Annotated[
    DirectoryTarget | HttpsTarget | EmailTarget | WitnessTarget,
    Field(discriminator="kind"),
]


class WitnessedLog(Section):
    """A log that this installation witnesses: its origin, and every key of it that is trusted."""

    origin: LogOrigin
    vkeys: Annotated[tuple[Annotated[str, AfterValidator(_log_key)], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_names(self) -> WitnessedLog:
        if any(vkey.partition("+")[0] != self.origin for vkey in self.vkeys):
            raise ValueError("each of vkeys has to begin with the origin")
        return self


class Audit(Section):
    """The acceptance log: where its signing key lies, outside the database, and what lies outside this machine."""

    key_file: Path | None = None
    targets: tuple[AnyTarget, ...] = ()
    witnessed: tuple[WitnessedLog, ...] = ()
    witness_name: LogOrigin | None = None
    """The name under which others' logs are cosigned; else owner.log_origin with /witness behind it."""

    @model_validator(mode="after")
    def _check_names(self) -> Audit:
        names = [target.name for target in self.targets]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two targets are named {twice[0]}; give each its own name")
        origins = [log.origin for log in self.witnessed]
        if again := sorted({origin for origin in origins if origins.count(origin) > 1}):
            raise ValueError(f"the log {again[0]} stands twice in witnessed; write it once, with all its vkeys")
        return self
