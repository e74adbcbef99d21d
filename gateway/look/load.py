"""The look that the settings ask for: the arms read and cleaned, the colour made into a palette, and what to know."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import UsageError
from gateway.look.arms import MAX_SVG_INPUT_BYTES, Arms, ArmsError, clean
from gateway.look.colours import Palette, palette
from gateway.settings import Look


@dataclass(frozen=True)
class LoadedLook:
    """What pages are made with; None where the settings name nothing. `notes` are for IT: what was changed and why."""

    arms: Arms | None
    palette: Palette | None
    notes: tuple[str, ...]


def load_look(look: Look) -> LoadedLook:
    """Read what `look` names. Raises: UsageError naming the setting, when the arms can't be read or used."""
    colours = palette(look.accent) if look.accent else None
    notes = tuple(f"look.accent: {note}" for note in colours.notes) if colours is not None else ()
    return LoadedLook(_arms(look), colours, notes)


def _arms(look: Look) -> Arms | None:
    if look.arms is None:
        return None
    try:
        with look.arms.open("rb") as file:
            return clean(file.read(MAX_SVG_INPUT_BYTES + 1))
    except OSError as error:
        raise UsageError(f"look.arms can't be read: {error.strerror}; correct the path or its mode") from error
    except ArmsError as error:
        raise UsageError(f"look.arms {look.arms}: {error}") from error
