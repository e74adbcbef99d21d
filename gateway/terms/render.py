"""Rules text from Markdown to the HTML that guests are shown: the same bytes every time, and nothing but text in it.

Headings go down one level, so that a page keeps its own single `h1`. What a municipality's file may contain is
paragraphs, headings, lists, emphasis, quotations and links; raw HTML is shown as the text it is.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

TAGS = frozenset({"h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "strong", "em", "a", "blockquote", "br", "hr"})
LINK_SCHEMES = frozenset({"https", "http", "mailto", "tel"})
DEEPEST_HEADING = 6


def render(markdown: str) -> str:
    """HTML of a rules text, without `h1`, scripts, styles, images or attributes other than a link's `href`.

    Deterministic: the same text gives the same bytes with the same versions of the two libraries, and what was
    published is stored, so that a later version of them changes no evidence.
    """
    parser = MarkdownIt("commonmark", {"html": False})
    tokens = parser.parse(markdown)
    for token in tokens:
        _demote(token)
    html = parser.renderer.render(tokens, parser.options, {})
    return nh3.clean(
        html,
        tags=set(TAGS),
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes=set(LINK_SCHEMES),
        link_rel="noopener noreferrer",
        strip_comments=True,
    )


def _demote(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1:]) + 1, DEEPEST_HEADING)}"
