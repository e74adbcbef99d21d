"""Examples for the OpenAPI document, built of the models: a field's own example where it has one, else by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

MOMENT, LATER = "2027-01-11T08:00:00Z", "2027-01-11T14:00:00Z"
BY_NAME: Mapping[str, Any] = MappingProxyType(
    {
        "access": "code",
        "adopted_on": "2026-11-12",
        "adopting_body": "Kommunestyret",
        "approved_by": "Kari Nordmann",
        "at": MOMENT,
        "by": "kari",
        "case_number": "26/123",
        "categories": ["gaming"],
        "category": "gaming",
        "code": "fjell-lampe-orkan",
        "course": "Excel for alle",
        "detail": "game.example",
        "device": "0a:1b",
        "ends_at": LATER,
        "expires_at": "2027-11-23T00:00:00Z",
        "format": "auto",
        "from": MOMENT,
        "group": "default",
        "groups": ["default"],
        "holder": "Ola Nordmann",
        "id": "019ab0c1d2e3f4a5b6c7d8e9f0a1b2c3",
        "interface": "guest0",
        "key": "own-list",
        "kind": "category_closed",
        "label": "2026-1",
        "language": "nb",
        "last_used_at": MOMENT,
        "licence": "CC0-1.0",
        "mac": "02:00:5e:10:00:01",
        "method": "password",
        "name": "game.example",
        "names": ["game.example"],
        "note": "after the council's decision",
        "offered": "code",
        "organisation": "Firma AS",
        "outcome": "updated",
        "published_by": "kari",
        "reason": "a course about games",
        "role": "it",
        "scopes": ["policy:read"],
        "site": "hovedbygg",
        "source": "own-list",
        "starts_at": MOMENT,
        "state": "fine",
        "title": "Excel for alle",
        "titles": {"nb": "Kurs", "nn": "Kurs", "en": "Course"},
        "unit": "Voksenopplæringen",
        "until": LATER,
        "url": "https://lists.example/gaming.txt",
        "username": "kari",
        "version": "2026-1",
    }
)


def example(  # noqa: PLR0911 - a line for each kind of schema
    schema: Mapping[str, Any], defined: Mapping[str, Mapping[str, Any]], name: str = "", depth: int = 0
) -> Any:
    """A value that fits the schema; `defined` are the schemas that it may refer to."""
    if "$ref" in schema:
        return example(defined[schema["$ref"].rpartition("/")[2]], defined, name, depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return BY_NAME[name] if BY_NAME.get(name) in schema["enum"] else schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example(schema[word][0], defined, name, depth)
    if schema.get("type") == "object":
        return _object(schema, defined, name, depth)
    if schema.get("type") == "array":
        found = BY_NAME.get(name)
        if isinstance(found, list) and schema.get("items", {}).get("type") == "string":
            return found
        return [example(schema.get("items", {}), defined, name.removesuffix("s"), depth + 1)] if depth < 6 else []
    return _plain(schema, name)


def _object(schema: Mapping[str, Any], defined: Mapping[str, Mapping[str, Any]], name: str, depth: int) -> Any:
    if "properties" in schema:
        return {key: example(part, defined, key, depth + 1) for key, part in schema["properties"].items()}
    inner = schema.get("additionalProperties")
    if isinstance(BY_NAME.get(name), dict):
        return BY_NAME[name]
    return {"example": example(inner, defined, "", depth + 1)} if isinstance(inner, Mapping) and inner else {}


def _plain(schema: Mapping[str, Any], name: str) -> Any:  # noqa: PLR0911 - as above
    kind, found = schema.get("type"), BY_NAME.get(name)
    if kind == "integer":
        return max(schema.get("minimum", 1), 1)
    if kind == "number":
        return schema.get("minimum", 0.9)
    if kind == "boolean":
        return schema.get("default", True)
    if kind == "null" or kind is None:
        return None
    formats = {"date-time": MOMENT, "date": "2026-11-23"}
    if schema.get("format") in formats:
        return found if isinstance(found, str) and len(found) == len(formats[schema["format"]]) else formats[
            schema["format"]
        ]  # fmt: skip
    if isinstance(found, str):
        return found
    return schema.get("default") or "text"
