"""`python -m tests.browser.screenshots [LANGUAGE …]`: pictures of every guest page for docs/guide/guest.md, of real
Chromium.

Each picture shows one page in one language four times: phone and laptop, light and dark.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser import later_walk
from tests.browser.conftest import running_portal
from tests.browser.walk import NOBODY_RETURNS, SETTINGS, add_library, every_page

FOLDER = Path(__file__).parents[2] / "docs" / "guide" / "pictures"
LANGUAGES = ("nb", "nn", "en")
PHONE, LAPTOP = (390, 3000), (900, 2400)
SCALE = 0.5
GAP, BACKGROUND = 16, (214, 217, 221)
QUALITY = 24
PATIENCE_MS = 120_000
OFFERED = SETTINGS.replace('languages = ["nb", "nn", "en", "de"]', 'languages = ["nb", "nn", "en"]').replace(
    NOBODY_RETURNS, ""
)
MAX_TOTAL_BYTES = 6_000_000
IN_ENGLISH_ONLY = frozenset(
    {
        "receipt-find-error",
        "my-data-error",
        "not-found",
        "receipt-being-sealed",
        "welcome-whole-text",
        "no-receipt",
        "signed-off",
        "add-error",
        "why-error",
        "why-never",
        "status-devices-full",
        "why-it",
        "why-exempted",
        "status-granted",
        "waiting-host-unmailed",
        "host-over",
        "form-more-asked",
        "course-full",
        "form-course-code",
        "return-course-code",
        "status-course-code-error",
        "too-many-devices",
    }
)  # near doubles of others
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, Scheme] = ("light", "dark")

ARMS = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 48">
<path d="M1 1h38v25c0 11-9 18-19 21C10 44 1 37 1 26z"
fill="#8c1d2f"/><path d="M4 34l10-14 6 8 5-7 11 14-4 5-12 7-12-7z" fill="#f2c84b"/></svg>"""


def main(languages: Sequence[str] = LANGUAGES, folder: Path = FOLDER) -> int:
    """Write the pictures in these languages. Returns the exit code: 1 when all are larger together than may be."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("screenshots: chromium is missing; install the package chromium", file=sys.stderr)
        return 1
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "arms.svg").write_text(ARMS, encoding="utf-8")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for language in languages:
                for state, picture in _pictures(browser, Path(place), language):
                    path = Path(place) / f"{state}.{language}.webp"
                    picture.save(path, "WEBP", quality=QUALITY, method=6)
                    print(f"{path.name:<40} {path.stat().st_size / 1024:5.0f} KB", flush=True)
            browser.close()
        folder.mkdir(parents=True, exist_ok=True)
        for language in languages:
            for old in folder.glob(f"*.{language}.webp"):
                old.unlink()
        for made in Path(place).glob("*.webp"):  # all of them are there: the old ones are replaced together
            shutil.copy(made, folder)
    total = sum(picture.stat().st_size for picture in folder.glob("*.webp"))
    print(f"{'together':<40} {total / 1024:5.0f} KB")
    return 0 if total <= MAX_TOTAL_BYTES else 1


def _pictures(browser: Browser, place: Path, language: str) -> Iterator[tuple[str, Image.Image]]:
    """Each state in one language. Its portal is new: what guests did in another language would show."""
    folder = place / language
    folder.mkdir()
    look = f'[look]\narms = "{place}/arms.svg"\naccent = "#8c1d2f"\n'
    with running_portal(folder, OFFERED + later_walk.SETTINGS + look) as portal:
        add_library(portal)
        later_walk.add_meeting(portal)
        context = browser.new_context(reduced_motion="reduce", color_scheme="light")
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        for state in chain(every_page(portal, page, language), later_walk.later_pages(portal, page, language)):
            if language == "en" or state not in IN_ENGLISH_ONLY:
                yield state, _picture(page)
        context.close()


def _picture(page: Page) -> Image.Image:
    """The page as it stands, side by side in its four looks, each cut at a reasonable height."""
    shots = [shot(page, size, scheme) for size in (PHONE, LAPTOP) for scheme in SCHEMES]
    width = sum(each.width for each in shots) + GAP * (len(shots) + 1)
    picture = Image.new("RGB", (width, max(each.height for each in shots) + 2 * GAP), BACKGROUND)
    left = GAP
    for each in shots:
        picture.paste(each, (left, GAP))
        left += each.width + GAP
    return picture


def shot(page: Page, size: tuple[int, int], scheme: Scheme, scale: float = SCALE) -> Image.Image:
    """The page at a width, cut at a height, in one scheme; both in pixels of the page, which are made fewer."""
    width, most = size
    page.set_viewport_size({"width": width, "height": 700})
    page.emulate_media(color_scheme=scheme)
    whole = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
    cut = whole.crop((0, 0, whole.width, min(whole.height, most)))
    return cut.resize((round(cut.width * scale), round(cut.height * scale)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or LANGUAGES))
