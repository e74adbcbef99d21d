"""What a single setting may be: each kind is checked in one place, with the words that say how to write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

from gateway.audit.periods import parse_period
from policies.categories import CATEGORIES
from policies.names import PolicyError, listable


class Section(BaseModel):
    """A table of the settings file; unknown keys are errors, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _like(pattern: str, words: str) -> AfterValidator:
    """Text of which the whole has this pattern; `words` say how to write it."""
    matches = re.compile(pattern, re.ASCII).fullmatch

    def check(text: str) -> str:
        if matches(text) is None:
            raise ValueError(words)
        return text

    return AfterValidator(check)


def normal_network(text: str) -> str:
    """A network in its normal form. Raises: ValueError saying how to write it."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network; write it as 10.0.0.0/8 or 2001:db8::/32") from None
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} has host bits set; write {network}") from None


def _zone(text: str) -> str:
    try:
        return listable(text)
    except PolicyError as problem:
        raise ValueError(f"{text!r} is not a domain: {problem}") from problem


def _category_or_default(text: str) -> str:
    if text != "default" and text not in CATEGORIES:
        raise ValueError(f"{text!r} is no category; write default or one of {', '.join(CATEGORIES)}")
    return text


def _period(text: str) -> str:
    parse_period(text)
    return text


def _ssid(text: str) -> str:
    if len(text.encode()) > 32 or not (text.isprintable() or not text):
        raise ValueError("write the network's name as it is, at most 32 bytes")
    return text


def _each_once(table: Any, check: ValidatorFunctionWrapHandler) -> Any:
    """A table in which no key stands twice in different spelling: the last one would silently win."""
    checked = check(table)
    if not isinstance(table, Mapping) or len(checked) == len(table):
        return checked
    written: dict[str, str] = {}
    for key, value in table.items():
        [normal] = check({key: value})
        if normal in written:
            raise ValueError(f"{written[normal]!r} and {key!r} are the same; write it once")
        written[normal] = key
    raise AssertionError("keys were lost, though each is its own")


Port = Annotated[int, Field(ge=1, le=65535)]
Language = Literal["nb", "nn", "en", "se", "smj", "sma", "pl", "uk", "de"]
Colour = Annotated[str, _like(r"(#[0-9a-f]{6})?", "write # and six hexadecimal digits in lower case, as in #0062ba")]
StatementUrl = Annotated[
    str,
    _like(
        r"(https://(www\.)?uustatus\.no/[A-Za-z0-9._~/-]*)?",
        "write the statement's address, as in https://uustatus.no/nb/erklaringer/publisert/…",
    ),
]
Key = Annotated[str, _like(r"[a-z0-9-]{1,40}", "write 1 to 40 of a-z, 0-9 and -")]
LogOrigin = Annotated[
    str, _like(r"[^\s+]{1,120}", "write a name without spaces and +, as in storvik.kommune.no/gjestenett")
]
InterfaceName = Annotated[
    str, _like(r"[A-Za-z0-9_.-]{1,15}", "write an interface's name of at most 15 characters, as in guest0")
]
KeepPeriod = Annotated[str, AfterValidator(_period)]
Hostname = Annotated[
    str,
    _like(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", "write a host name, as in gjest.storvik.kommune.no"),
]
HostnameOrAddress = Annotated[
    str, _like(r"[A-Za-z0-9.:-]{1,253}", "write a host name or an address, as in konsoll.storvik.kommune.no")
]
HttpUrl = Annotated[
    str,
    _like(
        r"(https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?)?",
        "write an address that begins with https:// or http://, as in https://gjest.storvik.kommune.no",
    ),
]
HttpsUrl = Annotated[
    str,
    _like(
        r"https://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?",
        "write an address that begins with https://, as in https://arkiv.storvik.kommune.no/gjestenett",
    ),
]
EmailAddress = Annotated[
    str,
    _like(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}", "write an e-mail address, as in revisor@storvik.kommune.no"),
]
MailSender = Annotated[
    str,
    _like(
        r"([A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190})?", "write an e-mail address, as in gjestenett@storvik.kommune.no"
    ),
]
MailHost = Annotated[str, _like(r"[A-Za-z0-9.:-]{0,253}", "write a host name, as in smtp.storvik.kommune.no")]
HttpsUrlOrNone = Annotated[
    str,
    _like(
        r"(https://[A-Za-z0-9.:\[\]-]+)?", "write an address that begins with https://, as in https://vert.storvik.no"
    ),
]
RequiredLine = Annotated[str, _like(r"[^\x00-\x1f\x7f]{1,120}", "write one line of at most 120 characters")]
Ssid = Annotated[str, AfterValidator(_ssid)]
Line = Annotated[str, _like(r"[^\x00-\x1f\x7f]{0,300}", "write one line of at most 300 characters")]
GuidelineHeadings = dict[Annotated[str, AfterValidator(_category_or_default)], Line]
ZoneName = Annotated[str, AfterValidator(_zone)]
SourceGroups = Annotated[dict[Annotated[str, AfterValidator(normal_network)], str], WrapValidator(_each_once)]
ZoneServers = Annotated[
    dict[ZoneName, Annotated[tuple[str, ...], Field(min_length=1)]],
    WrapValidator(_each_once),
]
