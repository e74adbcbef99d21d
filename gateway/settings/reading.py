"""Reading the settings: from the environment, then the file; what is wrong is said with the key and its place."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_origin

from pydantic import ValidationError
from pydantic_settings import SettingsError

from gateway.errors import UsageError
from gateway.settings.boot import PREFIX, Settings
from gateway.settings.complaint import complaint, no_json
from gateway.settings.kinds import Section


def load(config: Path | None = None, state: Path | None = None) -> Settings:
    """Read settings from `config`, else `$GJESTENETT_CONFIG`, else the defaults; `state` overrides the state directory.

    Raises: UsageError naming the file, the key and what is expected there.
    """
    path = config_path(config)
    environment = given_by_environment()
    document = _without(_document(path) if path is not None else {}, environment)
    try:
        settings = Settings(**document)
    except ValidationError as error:
        raise UsageError(complaint(error.errors()[0], path, environment)) from error
    except SettingsError as error:
        raise UsageError(_not_json(environment) or str(error)) from error
    if state is not None:
        settings = settings.model_copy(update={"state": state})
    return settings


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"settings file {path} can't be read: {error.strerror}; check --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"settings file {path} is not valid TOML: {error}") from error
    for key, value in document.items():
        if key not in Settings.model_fields:
            raise UsageError(f"setting {key}: no such setting; check the spelling (in {path})")
        if _is_section(key) and not isinstance(value, dict):
            raise UsageError(f"setting {key}: a table [{key}] is expected (in {path})")
    return document


def given_by_environment() -> dict[tuple[str, ...], str]:
    """Our variables: the levels of each key, to the variable's name. Raises: UsageError for one that is no setting."""
    found: dict[tuple[str, ...], str] = {}
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() != "GJESTENETT_CONFIG":
            levels = tuple(name[len(PREFIX) :].lower().split("__"))
            if levels[0] not in Settings.model_fields:
                raise UsageError(f"environment variable {name}: no such setting; levels are parted by two underscores")
            found[levels] = name
    return found


def _without(document: dict[str, Any], environment: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    """The file's settings but those that the environment gives: a table is replaced by it, not mixed with it."""
    for section, *keys in environment:
        if len(keys) == 1 and section in document:
            document[section].pop(keys[0], None)
    return document


def _is_section(key: str) -> bool:
    kind = Settings.model_fields[key].annotation
    return isinstance(kind, type) and issubclass(kind, Section)


def _not_json(environment: Mapping[tuple[str, ...], str]) -> str | None:
    """The first variable that has to be JSON and is not."""
    for levels, name in environment.items():
        kind: Any = Settings.model_fields[levels[0]].annotation
        if len(levels) == 2 and _is_section(levels[0]) and levels[1] in kind.model_fields:
            kind = kind.model_fields[levels[1]].annotation
        if _is_section(levels[0]) and (len(levels) == 1 or get_origin(kind) in (tuple, dict)):
            try:
                json.loads(os.environ[name])
            except ValueError:
                return no_json(levels, name)
    return None


def config_path(config: Path | None) -> Path | None:
    """The settings file: the one asked for, else `$GJESTENETT_CONFIG`, else none."""
    named = os.environ.get("GJESTENETT_CONFIG")
    return config or (Path(named) if named else None)
