"""The catalogue: well-kept public lists that come as data with the product, each off until it is switched on."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from gateway.lists.source import HOUR_S, Source


@cache
def catalogue() -> Mapping[str, Source]:
    """Every source of the catalogue by key, `publisher-list`, in the file's order; all of them not enabled."""
    text = resources.files("gateway.lists").joinpath("catalogue.toml").read_text(encoding="utf-8")
    found: dict[str, Source] = {}
    for publisher in tomllib.loads(text)["publisher"]:
        for short, name, category in publisher["lists"]:
            source = _source(publisher, short, name, category)
            found[source.key] = source
        for short, name, category in publisher.get("permits", ()):
            source = _source(publisher, short, name, category, permits=True)
            found[source.key] = source
    return MappingProxyType(found)


def _source(publisher: Mapping[str, Any], short: str, name: str, category: str, *, permits: bool = False) -> Source:
    options: dict[str, Any] = {}
    if "member" in publisher:
        options["member"] = publisher["member"].format(name=name)
    if permits:
        options["permits"] = True
    return Source(
        key=f"{publisher['key']}-{short}",
        category=category,
        title=f"{publisher['title']}: {name.rpartition('/')[2]}",
        url=publisher["url"].format(name=name),
        format=publisher["format"],
        options=MappingProxyType(options),
        licence=publisher["licence"],
        homepage=publisher["homepage"],
        interval_s=publisher["refresh_hours"] * HOUR_S,
        enabled=False,
    )
