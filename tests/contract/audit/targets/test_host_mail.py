"""A host's yes from the guest's form to the guest's status page, by way of a real mail server and both applications."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from captive_portal import guest_app
from captive_portal.console_app import create_app
from gateway.access.host_mail import harmless
from gateway.clock import utc_now
from gateway.installation import prepare
from gateway.link.neighbours import Neighbour
from gateway.settings import load
from gateway.storage.course_models import HostRequest
from gateway.storage.models import Acceptance
from tests.contract.audit.targets.kinds import Mail, open_kind

PHONE = Neighbour("guest0", "02:00:00:00:00:01")


class Web:
    """A browser on one of the two applications, which keeps cookies and follows no redirect."""

    def __init__(self, app: Any, base_url: str) -> None:
        self._app, self._base, self._cookies = app, base_url, httpx.Cookies()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=("192.0.2.1", 50000))
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base, cookies=self._cookies, headers={"accept-language": "nb"}
            ) as client:
                answer = await client.request(method, path, **options)
                self._cookies = client.cookies
                return answer

        return asyncio.run(ask())


class Scene:
    """An installation whose guest network needs a host, a mail server, a guest and the host's browser."""

    def __init__(self, folder: Path, mail: Mail) -> None:
        self.mail, self.config, self.state = mail, folder / "gjestenett.toml", folder / "state"
        self.config.write_text(
            '[owner]\nname = "Nybø kommune"\n'
            '[enforcement]\nenabled = true\nguest_interfaces = ["guest0"]\nuplink = "wan0"\n'
            '[hosts]\ngroups = ["default"]\ndomains = ["nybo.example.no"]\n'
            '[[hosts.people]]\nname = "Vert Vertsen"\nemail = "vert@nybo.example.no"\n'
            f'[mail]\nsender = "gjestenett@nybo.example.no"\nhost = "localhost"\nport = {mail.port}\n'
            f'username = "gjest"\npassword_file = "{mail.password_file}"\nca_file = "{mail.folder / "ca.pem"}"\n'
        )
        self.services = prepare(load(self.config, self.state), utc_now)
        guests = guest_app.create_app(self.services, resolve=lambda _: PHONE)
        self.guest = Web(guests, self.services.settings.public_url)
        self.host = Web(create_app(self.services), "https://localhost:8081")

    def ask(self, **fields: str) -> httpx.Response:
        token = re.search(r'name="token" value="([^"]+)"', self.guest.request("GET", "/?again=1").text)
        assert token is not None
        data = {"token": token[1], "name": "Kari Nordmann", **fields}
        return self.guest.request("POST", "/accept", data=data)

    def send(self) -> subprocess.CompletedProcess[str]:
        """What `jobs` runs."""
        command = [sys.executable, "-m", "gateway.cli", "--config", str(self.config), "--state", str(self.state)]
        return subprocess.run([*command, "hosts", "mail"], capture_output=True, text=True, check=False, timeout=60)

    def mails(self) -> list[email.message.EmailMessage]:
        files = sorted(self.mail.folder.glob("*.eml"), key=lambda each: int(each.stem))
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]

    def link(self) -> str:
        [found] = re.findall(r"https://localhost:8081(/host/\S+)", self.mails()[-1].get_content())
        return str(found)

    def press(self, path: str, said: str) -> httpx.Response:
        token = re.search(r'name="form_token" value="([^"]+)"', self.host.request("GET", path).text)
        data = {"form_token": token[1] if token else "", "answer": said}
        return self.host.request("POST", path, data=data)

    def acceptances(self) -> list[str]:
        with self.services.database.read() as session:
            return [row.identified_by for row in session.query(Acceptance)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    (tmp_path / "mail").mkdir()
    with open_kind("email-starttls", tmp_path / "mail") as mail:
        assert isinstance(mail, Mail)
        made = Scene(tmp_path, mail)
        yield made
        made.services.database.close()


def test_a_guest_comes_in_when_the_host_presses_yes_and_not_before(scene: Scene) -> None:
    form = scene.guest.request("GET", "/").text
    assert "Hvem besøker du?" in form
    assert "Vert Vertsen" in form
    assert "vert@nybo" not in form, "addresses of hosts are not for strangers"
    assert "Si hvem som er verten din" in scene.ask().text
    answer = scene.ask(host="p0")
    assert (answer.status_code, answer.headers["location"]) == (303, "/waiting")
    waiting = scene.guest.request("GET", "/waiting")
    assert "Vi har spurt Vert Vertsen" in waiting.text
    assert waiting.headers["refresh"] == "5; url=/waiting"
    assert scene.guest.request("GET", "/").headers["location"] == "/waiting"

    sent = scene.send()
    assert (sent.returncode, sent.stdout) == (0, "1 sent, 0 not taken\n"), sent.stderr
    assert scene.send().stdout == "0 sent, 0 not taken\n"
    [mail] = scene.mails()
    assert (mail["To"], mail["From"]) == ("vert@nybo.example.no", "gjestenett@nybo.example.no")
    assert "Kari Nordmann ber om tilgang til gjestenettet hos Nybø kommune" in mail.get_content()
    link = scene.link()
    for _ in range(3):  # a scanner, its second look, and the host
        page = scene.host.request("GET", link)
        assert page.status_code == 200
        assert "Kari Nordmann" in page.text
    assert scene.host.request("HEAD", link).status_code == 200
    assert scene.host.request("POST", link, data={"answer": "approved"}).status_code == 403, "no form of ours"
    assert scene.acceptances() == []

    assert "Gjesten er sluppet inn" in scene.press(link, "approved").text
    assert scene.acceptances() == ["host_approved"]
    assert scene.guest.request("GET", "/waiting").headers["location"] == "/status"
    assert "Valid" not in scene.guest.request("GET", "/status").text
    assert scene.host.request("GET", link).status_code == 410
    assert scene.acceptances() == ["host_approved"]


def test_a_no_is_told_and_an_answer_too_late_opens_nothing(scene: Scene) -> None:
    scene.ask(host_email="Annen@Nybo.Example.no")
    scene.send()
    assert scene.mails()[-1]["To"] == "annen@nybo.example.no"
    assert "Du har sagt nei" in scene.press(scene.link(), "denied").text
    waiting = scene.guest.request("GET", "/waiting")
    assert "Verten har sagt nei" in waiting.text
    assert "refresh" not in waiting.headers
    scene.ask(host="p0")
    scene.send()
    with scene.services.database.write() as session:
        for row in session.query(HostRequest).filter_by(answer=""):
            row.expires_at = utc_now() - timedelta(seconds=1)
    assert scene.host.request("GET", scene.link()).status_code == 410
    assert "Verten svarte ikke i tide" in scene.guest.request("GET", "/waiting").text
    assert scene.acceptances() == []


REFUSED = (
    ({"host_email": "meg@gmail.example"}, "må være en av kommunens egne"),
    ({"host_email": "vert@nybo.example.no.evil.example"}, "må være en av kommunens egne"),
    ({"host_email": "vert@nybo.example.no,meg@evil.example"}, "Skriv e-postadressen"),
    ({"host_email": "vert@nybo.example.no\r\nBcc: meg@evil.example"}, "Skriv e-postadressen"),
    ({"host": "p1"}, "Si hvem som er verten din"),
    ({"host": "p-1"}, "Si hvem som er verten din"),
    ({"course_code": "fjell elv sol"}, "Ingen kurs her har denne koden"),
)


def test_nobody_but_a_host_of_the_municipality_is_asked(scene: Scene) -> None:
    for fields, told in REFUSED:
        answer = scene.ask(**fields)
        assert (answer.status_code, told in answer.text) == (422, True), fields
    with scene.services.database.read() as session:
        assert session.query(HostRequest).count() == 0


def test_a_server_that_takes_nothing_is_tried_again_and_the_guest_is_told(scene: Scene) -> None:
    scene.ask(host="p0")
    right = scene.mail.password_file.read_text()
    scene.mail.password_file.write_text("feil")
    sent = scene.send()
    assert (sent.returncode, "user name and password" in sent.stderr, "feil" in sent.stderr) == (1, True, False)
    assert "E-posten er ikke sendt ennå" in scene.guest.request("GET", "/waiting").text
    scene.mail.password_file.write_text(right)
    assert scene.send().returncode == 0
    assert "E-posten er ikke sendt" not in scene.guest.request("GET", "/waiting").text


def test_a_link_that_we_did_not_make_is_answered_404(scene: Scene) -> None:
    for token in ("x", "0" * 32 + ".x", "%00", "a" * 4000, "æ.ø"):
        assert scene.host.request("GET", f"/host/{token}").status_code == 404, token


def test_what_a_guest_writes_is_no_link_in_the_mail(scene: Scene) -> None:
    scene.ask(host="p0", name="Gå til http://evil.example/x eller www.evil.example")
    scene.send()
    said = scene.mails()[-1].get_content()
    assert "evil.example" not in said
    assert [url for url in re.findall(r"https?://\S+", said) if "localhost:8081/host/" not in url] == []
    assert harmless("J. R. Ås (a.b@c.no)") == "J. R. Ås (a b c no)"
