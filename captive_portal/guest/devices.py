"""A guest's devices: extending access, three words for another device, adding oneself with them or with a receipt.

Buttons of the status page are bound to the device and its grant; one that is stale, foreign or pressed from another
site changes nothing and shows the status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from captive_portal.guest import form, guard, troubles
from captive_portal.guest.guard import Known
from captive_portal.guest.notice import Notices
from captive_portal.guest.returning import answer, too_many
from captive_portal.guest.site import Site, Visit, see_other, shown_rules, visit
from captive_portal.guest.word_guessing import WordGuessing
from captive_portal.security import FORM_LIFETIME, Claims, Purpose
from gateway.access.grants import extend
from gateway.access.receipts import parse_receipt_code
from gateway.access.recognised import (
    NotRecognised,
    Outcome,
    Reading,
    add_by_receipt,
    add_by_words,
    end_other,
    show_words,
    terms_of,
)
from gateway.access.three_words import MAX_CHARS, parse_words
from gateway.link.neighbours import Neighbour
from gateway.storage import rules
from gateway.storage.engine import Session


class DevicePages:
    """The endpoints, over one site."""

    def __init__(self, site: Site, guessing: WordGuessing | None = None) -> None:
        self._site = site
        self._database, self._place = site.services.database, site.services.place
        self._terms = terms_of(site.services.settings)
        self._notices = Notices(site)
        self._guessing = guessing or WordGuessing()

    def extend(self, request: Request) -> Response:
        """`POST /extend`: the device may be online for longer, as long as that is offered."""

        def change(session: Session, who: Visit, neighbour: Neighbour, subject: str) -> None:
            extend(session, self._place, neighbour, subject, self._terms.durations, who.now)

        return self._press(request, "extend", change)

    def words(self, request: Request) -> Response:
        """`POST /words`: the status page shows three words for ten minutes."""

        def change(session: Session, who: Visit, neighbour: Neighbour, subject: str) -> Response | None:
            shown = show_words(session, self._place, neighbour, subject, self._terms, who.now)
            return too_many(who) if shown == NotRecognised("too_many") else None

        return self._press(request, "words", change)

    def end_device(self, request: Request) -> Response:
        """`POST /end-device`: another device of the person is no longer let through."""

        def change(session: Session, who: Visit, neighbour: Neighbour, subject: str) -> None:
            own, _, other = subject.partition(":")
            end_other(session, self._place, neighbour, own, other, who.now)

        return self._press(request, "end_device", change)

    def to_status(self, request: Request) -> Response:
        """`GET` of what is posted: GET changes nothing."""
        return see_other(visit(self._site, request, identify=False).link("/status"))

    def show_add(self, request: Request) -> Response:
        """`GET /add`: the rules and a field for three words or a receipt code; `?code=` fills it in."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who = known.who
        if who.status().state != "not_accepted":
            return see_other(who.link("/status"))
        return self._add_page(known, {"words": request.query_params.get("code", "")[:MAX_CHARS]})

    def add(self, request: Request) -> Response:  # noqa: PLR0911 - each return is one way to be refused
        """`POST /add`: one acceptance and one grant, or the form again with what to correct."""
        sent = guard.form(self._site, request)
        if isinstance(sent, Response):
            return sent
        who, fields = sent.who, sent.fields
        t, typed = who.translator, fields.get("words", "")
        claims = self._site.signer.verify(fields.get("token", ""), "add", sent.neighbour.mac, who.now)
        if not isinstance(claims, Claims):
            said = t("The form could not be used any more. Press the button once more.")
            return self._add_page(sent, fields, status=409 if claims == "expired" else 403, on_button=said)
        number = parse_words(typed)
        code = parse_receipt_code(typed) if number is None and len(typed) <= MAX_CHARS else None
        if number is None and code is None:  # what is neither is no guess
            said = t("These are not three words of the list, nor a receipt code. Check the spelling.")
            return self._add_page(sent, fields, status=422, on_field=said)
        if wait_s := self._guessing.wait_s(who):
            said = t("Many words were tried. Try again in {seconds} seconds.", seconds=wait_s)
            return troubles.wait(who, wait_s, said, "/add", t("Write the words again"))
        reading = Reading(claims.subject, claims.language, who.address, who.now)
        outcome = self._record(sent.neighbour, number, code, reading, same_device="same_device" in fields)
        if outcome == NotRecognised("unknown"):
            self._guessing.missed(who)
            if number is not None:
                said = t("No device shows these words now. They last for ten minutes and can be used once.")
            else:
                said = t("There is no receipt with this code that can be used here now.")
            return self._add_page(sent, fields, status=422, on_field=said)
        if not isinstance(outcome, NotRecognised) and getattr(outcome, "reason", "") == "rules_changed":
            said = t(
                "The rules have changed since you opened the page. Read the new ones and press the button once more."
            )
            return self._add_page(sent, fields, status=409, on_button=said)
        return answer(who, outcome)

    def _record(
        self, neighbour: Neighbour, number: int | None, code: str | None, reading: Reading, *, same_device: bool
    ) -> Outcome:
        with self._database.write() as session:
            if number is not None:
                return add_by_words(
                    session, self._place, neighbour, number, reading, self._terms, same_device=same_device
                )
            return add_by_receipt(session, self._place, neighbour, code or "", reading, self._terms)

    def _press(
        self,
        request: Request,
        purpose: Purpose,
        change: Callable[[Session, Visit, Neighbour, str], Response | None],
    ) -> Response:
        """A button of the status page: carry out `change`, given what the token was signed for."""
        known = guard.device(self._site, request)
        if isinstance(known, Response):
            return known
        who, claims = known.who, guard.pressed(known, purpose)
        said = None
        if claims is not None:
            with self._database.write() as session:
                said = change(session, who, known.neighbour, claims.subject)
        return said or see_other(who.link("/status"))

    def _add_page(
        self, known: Known, fields: Mapping[str, str], *, status: int = 200, on_field: str = "", on_button: str = ""
    ) -> Response:
        who = known.who
        with self._database.read() as session:
            group_key = self._site.group_in(session, known.neighbour)
            version = rules.version_in_force(session, self._place.owner_id, group_key, now=who.now)
            notice = self._notices.current(session, group_key)
        if version is None:
            return troubles.not_ready(who)
        shown = shown_rules(version, who.translator.language)
        errors = {"words": on_field} if on_field else {"accept": on_button} if on_button else {}
        return who.page(
            "add.html",
            status=status,
            rules=shown,
            typed=form.shown_again(fields).get("words", "")[:MAX_CHARS],
            same_device="same_device" in fields,
            errors=errors,
            notice=notice,
            token=self._site.signer.sign(
                "add", known.neighbour.mac, version.id, shown.language, who.now + FORM_LIFETIME
            ),
        )
