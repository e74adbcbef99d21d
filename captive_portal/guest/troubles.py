"""Pages for when something is in the way: each says in plain words what happened and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from captive_portal.guest.site import Visit
from gateway.settings import Owner

RETRY_AFTER_S = "5"
_RETRY = {"Retry-After": RETRY_AFTER_S}


def unknown_device(who: Visit) -> Response:
    """The kernel has no neighbour entry for the peer, so nothing can be opened for it. 503: it often mends itself."""
    t = who.translator
    heading = t("We can’t see your device on the guest network")
    text = t("This page works only on the municipality’s guest network.")
    steps = [
        t("Turn Wi-Fi off and on again."),
        t("Choose the guest network."),
        t("Turn off VPN and mobile data if you use them, and try again."),
    ]
    return told(who, 503, heading, text, headers=_RETRY, steps=steps, onward=("/", t("Try again")))


def storage_unavailable(who: Visit) -> Response:
    """The database did not take or give anything; nothing was written, nothing was opened."""
    t = who.translator
    text = t("The guest network could not answer right now. Nothing has been recorded.")
    return told(who, 503, t("Try again in a moment"), text, headers=_RETRY, onward=("/", t("Try again")))


def not_ready(who: Visit) -> Response:
    """No rules, no policy, or a network that is not set up: only IT can mend it."""
    t = who.translator
    unit = who.site.services.settings.owner.unit
    if unit == Owner.model_fields["unit"].default:
        unit = t("the ICT department")
    text = t("The set-up is not finished, so no one can get online yet. Tell {unit}.", unit=unit)
    return told(who, 503, t("The guest network is not ready"), text, headers=_RETRY, onward=("/", t("Try again")))


def from_elsewhere(who: Visit) -> Response:
    """Another website tried to accept on the guest's behalf."""
    t = who.translator
    return told(who, 403, t("The form came from another website"), t("Open the guest network’s own page instead."))


def not_a_form(who: Visit) -> Response:
    """A body that no form of ours sends."""
    t = who.translator
    return told(who, 415, t("The form could not be read"), t("Open the page again and try once more."))


def not_found(who: Visit) -> Response:
    """An own host, but no such page."""
    t = who.translator
    return told(who, 404, t("The page does not exist"), t("Check the address, or start from the front page."))


def no_such_receipt(who: Visit) -> Response:
    """No acceptance has this code."""
    t = who.translator
    written = t("Check that the code is written as on the receipt: 16 letters and digits, or the first 8 of them.")
    erased = t(
        "The code may also have been erased, with the other details. A proof file that you have saved still holds."
    )
    onward = ("/receipt", t("Write another code"))
    return told(who, 404, t("There is no receipt with this code"), written, erased, onward=onward)


def too_many_codes(who: Visit, wait_s: int) -> Response:
    """Codes are being guessed, mistyped many times, or looked up by the dozen."""
    t = who.translator
    said = t("Many codes were tried from here. Try again in {seconds} seconds.", seconds=wait_s)
    return wait(who, wait_s, said, "/receipt", t("Write another code"))


def too_many_names(who: Visit, wait_s: int) -> Response:
    """Names are being looked up by the hundred."""
    t = who.translator
    said = t("Many names were looked up from here. Try again in {seconds} seconds.", seconds=wait_s)
    return wait(who, wait_s, said, "/why", t("Try another name"))


def wait(who: Visit, wait_s: int, said: str, onward: str, onward_label: str) -> Response:
    """Something is tried too often: for how many seconds nothing is looked up."""
    headers = {"Retry-After": str(wait_s)}
    return told(who, 429, who.translator("Wait a little"), said, headers=headers, onward=(onward, onward_label))


def being_sealed(who: Visit, onward: str) -> Response:
    """There is no proof yet, in a moment there is."""
    t = who.translator
    text = t("The proof is ready when the log has been sealed. It usually takes a second.")
    back = (onward, t("Back to the receipt"))
    return told(who, 503, t("The receipt is being sealed"), text, headers={"Retry-After": "1"}, onward=back)


def broken(who: Visit) -> Response:
    """Our own mistake."""
    t = who.translator
    text = t("It is not your fault. Try again, or ask for help if it happens once more.")
    return told(who, 500, t("Something went wrong"), text)


def told(
    who: Visit,
    status: int,
    heading: str,
    *paragraphs: str,
    headers: Mapping[str, str] | None = None,
    steps: Sequence[str] = (),
    onward: tuple[str, str] | None = None,
) -> Response:
    """A page that says what happened and what to do. `onward` is where its button leads, and what stands on it."""
    path, label = onward or ("/", who.translator("To the front page"))
    return who.page(
        "message.html",
        status=status,
        headers=headers,
        heading=heading,
        paragraphs=paragraphs,
        steps=steps,
        onward=path,
        onward_label=label,
    )
