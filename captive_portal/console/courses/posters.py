"""Posters of a course, to print on A4 or A5, and a slide for the wall: how to join, the code, and whom to ask."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import Response

from captive_portal.console.courses.rooms import hours_at_a_time, theirs
from captive_portal.console.courses.wifi_code import wifi_text
from captive_portal.console.look import LANGUAGES
from captive_portal.console.visit import Visit
from captive_portal.guest.qr import QrCode, qr_code
from gateway.errors import UsageError
from gateway.settings import Owner, Wifi

SIZES = ("a4", "a5")


def poster(visit: Visit) -> Response:
    """GET /courses/{course}/poster?size=a4|a5&in=nb|nn|en"""
    size = visit.query.get("size", "")
    return _page(visit, size if size in SIZES else SIZES[0])


def slide(visit: Visit) -> Response:
    """GET /courses/{course}/slide?in=nb|nn|en"""
    return _page(visit, "slide")


def _page(visit: Visit, size: str) -> Response:
    course = theirs(visit)
    if course is None:
        return visit.failed(HTTPStatus.NOT_FOUND)
    settings, language = visit.services.settings, visit.query.get("in", "")
    password = wifi_password(settings.wifi)
    owner, portal = settings.owner, urlsplit(settings.public_url)
    return replace(visit, language=language if language in LANGUAGES else visit.language).page(
        "poster.html",
        course=course,
        size=size,
        wifi=settings.wifi,
        password=password,
        qr=_qr(settings.wifi, password),
        words=course.code.split("-"),
        portal=portal.netloc,
        is_reachable=not _is_own(portal.hostname or ""),
        hours_at_a_time=hours_at_a_time(visit, course),
        unit="" if owner.unit == Owner.model_fields["unit"].default else owner.unit,
        phone=owner.helpdesk_phone,
        hours=owner.helpdesk_hours,
    )


def _is_own(host: str) -> bool:
    """Whether an address is of the machine that it is used on, so that no guest reaches the portal by it."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def wifi_password(wifi: Wifi) -> str:
    """The password that guests share, from its file; "" for an open network. Raises: UsageError."""
    if wifi.password_file is None:
        return ""
    try:
        password = wifi.password_file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"wifi.password_file can't be read: {error}; correct the path or its mode") from error
    if not 8 <= len(password) <= 63 or not password.isprintable():
        raise UsageError("wifi.password_file must hold the password alone, of 8 to 63 characters")
    return password


def _qr(wifi: Wifi, password: str) -> QrCode | None:
    return qr_code(wifi_text(wifi.ssid, wifi.security, password, hidden=wifi.hidden)) if wifi.ssid else None
