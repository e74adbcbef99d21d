"""A page is compiled when it is first drawn: one that can't be is found here, not by whoever opens it."""

from __future__ import annotations

from captive_portal.console.look import TEMPLATES, _environment


def test_every_page_compiles() -> None:
    pages = [str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html")]
    assert len(pages) > 90, "so few?"
    for page in pages:
        assert _environment().get_template(page).root_render_func is not None
