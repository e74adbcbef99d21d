"""What every guest page is made from: services, signer, languages, templates and assets; made once at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from captive_portal.assets import Assets, load_assets
from captive_portal.guest.kept import KeptPages
from captive_portal.guest.let_in import Through
from captive_portal.i18n import LANGUAGE_NAMES, Translator, negotiate, translators
from captive_portal.languages import check_languages
from captive_portal.security import PAGE_HEADERS, FormSigner, load_form_key
from gateway.access.status import NOT_ACCEPTED, Status, device_status
from gateway.context import Services
from gateway.link.neighbours import Neighbour
from gateway.look.load import load_look
from gateway.settings import Settings
from gateway.storage import grants, outages, places
from gateway.storage.engine import Session
from gateway.storage.models import RulesText, RulesVersion

Resolve = Callable[[str], Neighbour | None]
BREAK = "<hr>"
TEMPLATES = Path(__file__).parent.parent / "templates"


@dataclass(frozen=True)
class Site:
    """The parts that pages share."""

    services: Services
    resolve: Resolve
    signer: FormSigner
    languages: Mapping[str, Translator]
    templates: Environment
    assets: Assets
    own_hosts: frozenset[str]
    kept: KeptPages = field(default_factory=KeptPages)

    def status_of(self, neighbour: Neighbour, now: datetime) -> Status:
        """The device's standing. Raises: StorageUnavailableError."""
        with self.services.database.read() as session:
            return device_status(session, self.services.place, neighbour, now)

    def group_in(self, session: Session, neighbour: Neighbour | None) -> str:
        """The group of the network that a device is on; "" for an unknown one."""
        if neighbour is None:
            return ""
        network = places.network_on(session, self.services.place.gateway_id, neighbour.interface)
        return "" if network is None else network.group_key

    def let_in(self) -> Through:
        """Whom the gateway lets through now. Raises: StorageUnavailableError."""
        place, now = self.services.place, self.services.clock()
        with self.services.database.read() as session:
            switched = {row[1]: row[2] for row in outages.of_gateway(session, place.gateway_id, now)}
            devices = frozenset(Neighbour(*row) for row in grants.let_in(session, place.gateway_id, now))
        return Through(
            frozenset(each for each in devices if switched.get(each.interface) != "closed"),
            frozenset(interface for interface, mode in switched.items() if mode == "rules_only"),
        )


@dataclass(frozen=True)
class Visit:
    """One request, as pages need it: whose, in which language, when. `neighbour` is None for an unknown device."""

    site: Site
    request: Request
    translator: Translator
    chosen_language: str | None
    address: str
    neighbour: Neighbour | None
    now: datetime

    def link(self, path: str, **query: str) -> str:
        """`path` with a query, keeping the language that was chosen by link."""
        asked = ({"lang": self.chosen_language} if self.chosen_language else {}) | query
        return f"{path}?{urlencode(asked)}" if asked else path

    def status(self) -> Status:
        """The device's standing; an unknown device has none."""
        return NOT_ACCEPTED if self.neighbour is None else self.site.status_of(self.neighbour, self.now)

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        gaps: Mapping[str, str] | None = None,
        keep: bool = True,
        **values: object,
    ) -> HTMLResponse:
        """A page from `templates/guest/`. With `gaps` it is kept, unless `values` are one guest's: `KeptPages.fill`."""
        values = {**self._as_set(), **values}
        if gaps is None or not keep:
            html = self._render({**values, **(gaps or {}), "template": template})
        else:
            same = {"language": self.translator.language, "here": _here(self.request), "chosen": self.chosen_language}
            html = self.site.kept.fill({**values, **same, "template": template}, gaps, self._render)
        return HTMLResponse(html, status, {**PAGE_HEADERS, "Vary": "Accept-Language", **(headers or {})})

    def _as_set(self) -> dict[str, object]:
        """What pages show of settings that IT changes while everything runs: pages that are kept differ by it."""
        settings = self.site.services.settings
        owner = settings.owner
        return {
            "owner": owner.name,
            "helpdesk": {"unit": owner.unit, "phone": owner.helpdesk_phone, "hours": owner.helpdesk_hours},
            "statement": settings.portal.accessibility_statement,
        }

    def _render(self, values: Mapping[str, object]) -> str:
        return self.site.templates.get_template(f"guest/{values['template']}").render(
            {
                **values,
                "t": self.translator,
                "languages": [(code, LANGUAGE_NAMES[code]) for code in self.site.languages],
                "here": _here(self.request),
                "link": self.link,
                "chosen_language": self.chosen_language,
                "assets": self.site.assets,
            }
        )


def open_site(services: Services, resolve: Resolve) -> Site:
    """Read key, catalogues, templates and assets. Raises: FormKeyError, CatalogueError, UsageError."""
    settings = services.settings
    check_languages(settings.portal)
    return Site(
        services=services,
        resolve=resolve,
        signer=FormSigner(load_form_key(settings.state / "keys" / "form.key")),
        languages=translators("guest", settings.portal.languages),
        templates=_templates(),
        assets=load_assets(load_look(settings.look)),
        own_hosts=own_hosts(settings),
    )


@cache  # one a process, as compiled templates stay in it
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def own_hosts(settings: Settings) -> frozenset[str]:
    """The host names and addresses that are the portal's own; every other one is a stranger's, sent to us."""
    addresses = (settings.public_url, settings.portal.receipts_url)
    hosts = {settings.portal.hostname, settings.portal.host, *(urlsplit(url).hostname or "" for url in addresses)}
    hosts.update(str(address) for address in settings.enforcement.guest_addresses)
    if settings.portal.host in ("127.0.0.1", "::1", "localhost"):
        hosts.update(("localhost", "127.0.0.1", "::1"))
    return frozenset(host.lower() for host in hosts if host)


def visit(site: Site, request: Request, *, identify: bool = True) -> Visit:
    """Who asks, in which language. The peer of the connection counts; forwarding headers don't.

    Without `identify` the neighbour table is not asked, for pages that are the same for everyone.
    """
    wanted = request.query_params.get("lang")
    language = negotiate(request.headers.get("accept-language", ""), wanted, tuple(site.languages))
    address = request.client.host if request.client else ""
    return Visit(
        site=site,
        request=request,
        translator=site.languages[language],
        chosen_language=language if wanted == language else None,
        address=address,
        neighbour=site.resolve(address) if address and identify else None,
        now=site.services.clock(),
    )


@dataclass(frozen=True)
class Rules:
    """A rules text as a page shows it; `html` was cleaned when it was published.

    `summary` and `rest` are its two sides of the first thematic break (`---` in Markdown): the rules in short, and the
    whole. A text without one has no summary. Together with the break they are the text, to the letter.
    """

    language: str
    html: Markup

    @property
    def summary(self) -> Markup:
        """What stands before the break."""
        return Markup(self._parts[0] if self._parts[1] else "")  # noqa: S704

    @property
    def rest(self) -> Markup:
        """What stands after it; the whole text where there is none."""
        return Markup(self._parts[2] if self._parts[1] else self._parts[0])  # noqa: S704

    @property
    def _parts(self) -> tuple[str, str, str]:
        return str(self.html).partition(BREAK)


def shown_rules(version: RulesVersion, language: str) -> Rules:
    """The text in `language`, else in the binding one. Markup: the HTML was cleaned when it was published."""
    texts: dict[str, RulesText] = {text.language: text for text in version.texts}
    text = texts.get(language) or texts[version.binding_language]
    return Rules(text.language, Markup(text.html))  # noqa: S704


def see_other(path: str) -> Response:
    """303 to one of our own paths."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


_PAGES = {"/accept": "/", **dict.fromkeys(("/sign-off", "/extend", "/words", "/end-device"), "/status")}


_KEPT_IN_LINKS = frozenset({"name"})


def _here(request: Request) -> str:
    """Where the language links lead: this page with what it was asked, or the form's page where this one answers a
    POST. `lang` is to be added.
    """
    path = request.url.path
    asked = [(key, value) for key, value in request.query_params.items() if key in _KEPT_IN_LINKS]
    return f"{_PAGES.get(path, path)}?{urlencode([*asked, ('lang', '')])}"
