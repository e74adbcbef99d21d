"""verify.html in real Chromium from file://, without a network: the verdicts of verify_bundle.py, in the same words."""

from __future__ import annotations

import base64
import os

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from gateway.audit import verify_bundle
from gateway.audit.verify_bundle import Report
from tests.unit.audit.forgeries import LOG, Case, cases, changes, judge, packed, repacked
from tests.unit.audit.specimen import KEYS  # noqa

PAGE = Path(verify_bundle.__file__).with_name("verify.html")
CHROMIUM = shutil.which("chromium")
BATCH = 40
CHANGES = 1000

VERIFY = """async (orders) => {
  const bytes = (text) => text === null ? null : Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const reports = [];
  for (const order of orders) {
    const report = await gjestenett.verify({
      ...order, file: new Blob([bytes(order.file)]), checkpoint: bytes(order.checkpoint),
      sidecar: bytes(order.sidecar), entry: bytes(order.entry),
    });
    reports.push(gjestenett.inWords(report, "en"));
  }
  return reports;
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is missing; install the package chromium")
        pytest.skip("chromium is missing; install the package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def offline(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser without a network, in which every request but that for the file itself fails the test."""
    context = chromium.new_context(locale="nb-NO", reduced_motion="reduce")
    context.set_offline(True)
    requested: list[str] = []
    context.on("request", lambda request: requested.append(request.url))
    yield context
    context.close()
    assert [url for url in requested if not url.startswith("blob:null/")] == [PAGE.as_uri()]


@pytest.fixture
def page(offline: BrowserContext) -> Page:
    page = offline.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(PAGE.as_uri())
    page.evaluate("gjestenett.page.ready")
    assert errors == []
    return page


def in_the_browser(page: Page, given: Sequence[Case]) -> list[dict[str, Any]]:
    """The browser's verdicts, as `verify_bundle.py --json` prints them."""

    def text(data: bytes | None) -> str | None:
        return None if data is None else base64.b64encode(data).decode()

    reports: list[dict[str, Any]] = []
    for start in range(0, len(given), BATCH):
        orders = [
            {
                "kind": case.kind,
                "file": text(case.data),
                "name": case.file,
                "keys": case.keys,
                "checkpoint": text(case.checkpoint),
                "sidecar": text(case.sidecar),
                "entry": text(case.entry),
                "requireSidecar": case.require_sidecar,
            }
            for case in given[start : start + BATCH]
        ]
        reports += page.evaluate(VERIFY, orders)
    return reports


def as_json(report: Report) -> dict[str, Any]:
    problems = [vars(problem) for problem in report.problems]
    return {"ok": report.ok, "problems": problems, "proved": report.proved, "unchecked": report.unchecked}


def test_the_browser_checks_ed25519(page: Page) -> None:
    assert page.evaluate("gjestenett.canVerify()") is True
    assert page.locator("#unsupported").is_hidden()


def test_every_verdict_is_that_of_the_python_verifier_word_for_word(page: Page, tmp_path: Path) -> None:
    assert len(cases()) > 300
    differing = [
        (case.name, here, there)
        for case, there in zip(cases(), in_the_browser(page, cases()), strict=True)
        if (here := as_json(judge(case, tmp_path))) != there
    ]
    assert differing == []


@pytest.mark.timeout(600)
def test_each_of_1000_changed_bytes_is_caught_and_named_alike(page: Page, tmp_path: Path) -> None:
    files = LOG.files(LOG.request(7, 39, consistency_from=5))
    _, sidecar = packed(files)
    words = {"sidecar": sidecar, "require_sidecar": True, "checkpoint": LOG.checkpoint(5)}
    given = [
        Case(f"{name}, byte {place}", repacked({**files, name: data}), name, **words)  # type: ignore[arg-type]
        for name, place, data in changes(files, CHANGES)
    ]
    for case, there in zip(given, in_the_browser(page, given), strict=True):
        assert [problem["part"] for problem in there["problems"]] == [case.part], case.name
        assert there == as_json(judge(case, tmp_path)), case.name
