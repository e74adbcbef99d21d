"""What somebody new in IT has: a terminal with `gjestenett up`, a browser, and their own count of clicks.

The services are those that `make run` starts, as the recipe in the Makefile starts them, on ports of their own.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page

from tests.contract.dns.conftest import free_port

ROOT = Path(__file__).parents[2]
START_S, STOP_S = 180, 60
COMMAND = (sys.executable, "-m", "gateway.cli")


class Terminal:
    """`gjestenett up` in a folder, with what it prints; commands beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.printed = folder, [""]
        self.dns_port, silent = free_port(), free_port()
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "GJESTENETT_PORTAL__PORT": str(free_port()),
            "GJESTENETT_CONSOLE__PORT": str(free_port()),
            "GJESTENETT_DNS__PORT": str(self.dns_port),
            "GJESTENETT_DNS__UPSTREAMS": f'["127.0.0.1:{silent}"]',  # nothing is asked outside this machine
        }
        self.settings = folder / "gjestenett.toml"
        self.settings.write_text(self.run("config", "starter"), encoding="utf-8")

    def start(self) -> None:
        """Start everything; what it prints is read as it comes."""
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            [*COMMAND, "--config", self.settings.name, "up"], cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as printed:
            for line in printed:
                self._lines.put(line.rstrip())
        self._lines.put(None)

    def wait_for(self, pattern: str, within_s: float = START_S) -> str:
        """The first line not yet read that matches, or what it captures. Fails with all that was printed."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                line = None
            assert line is not None, f"{pattern!r} was not printed within {within_s} s, but:{self.so_far}"
            self.printed.append(line)
            found = re.search(pattern, line)
            if found:
                return found[found.re.groups]

    def shows(self, pattern: str) -> str:
        """As `wait_for`, or of what was read already: services become ready in any order."""
        found = re.search(pattern, "\n".join(self.printed), re.MULTILINE)
        return found[found.re.groups] if found else self.wait_for(pattern)

    @property
    def so_far(self) -> str:
        """All that was printed until now, for messages."""
        return "\n  ".join(self.printed)

    def stop(self) -> None:
        """Ctrl-C, as a terminal sends it: to everything that it started."""
        os.killpg(self._process.pid, signal.SIGINT)
        assert self._process.wait(STOP_S) == 0, self.so_far
        self._reader.join(STOP_S)

    def run(self, *arguments: str) -> str:
        """What `gjestenett …` prints in the same folder. Fails with what it complains of."""
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=self.folder, env=self.environment, text=True, capture_output=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"gjestenett {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout


class Newcomer:
    """Somebody at a browser in English, who knows what README.md and the pages say; their clicks are counted."""

    def __init__(self, browser: Browser, terminal: Terminal, patience_ms: int) -> None:
        self.terminal, self.clicks, self.filled = terminal, 0, 0
        self.began, self.under_way = time.monotonic(), ""
        self.context = browser.new_context(locale="en-GB", ignore_https_errors=True)
        self.guests = browser.new_context(locale="nb-NO", viewport={"width": 390, "height": 844})
        self.page = self.context.new_page()
        for context in (self.context, self.guests):
            context.set_default_timeout(patience_ms)

    def click(self, what: Locator) -> None:
        """Click, and count it."""
        self.clicks += 1
        what.click()

    def follow(self, name: str, page: Page | None = None) -> None:
        """Click the link of this name."""
        self.click((page or self.page).get_by_role("link", name=name, exact=True))

    def press(self, name: str, page: Page | None = None) -> None:
        """Click the button of this name."""
        self.click((page or self.page).get_by_role("button", name=name, exact=True))

    def fill(self, label: str, text: str, page: Page | None = None) -> None:
        """Write into the field of this label."""
        self.filled += 1
        (page or self.page).get_by_label(label, exact=True).fill(text)

    def download(self, name: str, folder: Path) -> Path:
        """Click the link of this name and keep the file that comes."""
        with self.page.expect_download() as download:
            self.follow(name)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path
