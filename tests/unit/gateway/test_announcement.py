"""When the captive-portal URI may be announced, and what DHCP servers read of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.announcement import REMEDIES, Announcement, announcement
from gateway.announcement_files import FILES, FOLDER, AnnouncementFiles
from gateway.checks import check
from gateway.cli import cli
from gateway.settings import Enforcement, Portal, Settings
from tests.lab.certificates import Authority

NOW = datetime.now(UTC)
HOST = "gjest.example.no"
URI = f"https://{HOST}/captive-portal/api"


def settings(folder: Path, *, enforced: bool = True, **portal: Any) -> Settings:
    chosen = {"hostname": HOST, "tls_certificate": folder / "portal.pem", "tls_key": folder / "portal.key", **portal}
    return Settings(state=folder / "state", portal=Portal(**chosen), enforcement=Enforcement(enabled=enforced))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    found = Authority(tmp_path)
    found.issue([HOST], tmp_path / "portal.pem", tmp_path / "portal.key")
    return found


def test_with_a_certificate_that_holds_it_is_announced(tmp_path: Path, authority: Authority) -> None:
    found = announcement(settings(tmp_path), NOW)
    assert found == Announcement(URI, None)
    assert found.shown == URI


@pytest.mark.parametrize(
    ("portal", "reason"),
    [
        ({"tls_certificate": None, "tls_key": None}, "not_https"),
        ({"tls_certificate": None, "tls_key": None, "public_url": f"https://{HOST}"}, "none"),
        ({"public_url": "https://10.77.0.1"}, "address"),
        ({"public_url": "https://[2001:db8::1]"}, "address"),
        ({"public_url": f"https://{HOST}/{'x' * 230}"}, "too_long"),
        ({"hostname": "other.example.no"}, "other_name"),
    ],
)
def test_what_rfc_8910_or_a_phone_would_not_take_is_withheld(
    tmp_path: Path, authority: Authority, portal: dict[str, Any], reason: str
) -> None:
    found = announcement(settings(tmp_path, **portal), NOW)
    assert (found.withheld, found.shown) == (reason, None)


def test_where_nothing_is_enforced_there_is_nothing_to_announce(tmp_path: Path, authority: Authority) -> None:
    assert announcement(settings(tmp_path, enforced=False), NOW).withheld == "not_enforced"


def test_a_certificate_outside_its_time_or_unreadable_or_its_own_authority(
    tmp_path: Path, authority: Authority
) -> None:
    chosen = settings(tmp_path)
    assert announcement(chosen, NOW + timedelta(days=31)).withheld == "expired"
    assert announcement(chosen, NOW - timedelta(days=2)).withheld == "not_yet"
    (tmp_path / "portal.pem").write_bytes(b"no certificate")
    assert announcement(chosen, NOW).withheld == "unreadable"
    (tmp_path / "portal.pem").unlink()
    assert announcement(chosen, NOW).withheld == "unreadable"


def test_a_check_of_the_settings_warns_of_what_the_certificate_itself_does_not(
    tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "state").mkdir()
    enforcement = Enforcement(
        enabled=True, guest_interfaces=("guest0",), guest_addresses=(IPv4Address("10.77.0.1"),), uplink="wan0"
    )

    def warned(**portal: Any) -> list[str]:
        chosen = settings(tmp_path, **portal).model_copy(update={"enforcement": enforcement})
        return [line for line in check(chosen, NOW) if "withheld" in line]

    assert warned() == []
    assert warned(hostname="other.example.no") == []  # said of the certificate already
    assert warned(tls_certificate=None, tls_key=None) == [
        f"the captive-portal URI is withheld from DHCP and RA: {REMEDIES['not_https']}"
    ]
    assert warned(public_url="https://10.77.0.1") == [
        f"the captive-portal URI is withheld from DHCP and RA: {REMEDIES['address']}"
    ]


def test_every_reason_has_its_remedy() -> None:
    assert set(REMEDIES) == {
        "not_enforced", "not_https", "address", "too_long",
        "none", "unreadable", "expired", "not_yet", "other_name", "self_signed",
    }  # fmt: skip


def test_the_files_follow_the_certificate(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "state").mkdir()
    moment = [NOW]
    files = AnnouncementFiles(settings(tmp_path), lambda: moment[0])
    folder = tmp_path / "state" / FOLDER
    files.poll()
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert all(URI in path.read_text() for path in folder.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir())
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    files.poll()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == stamps  # nobody is told of nothing
    moment[0] += timedelta(days=31)
    files.poll()
    assert not any("http" in path.read_text() for path in folder.iterdir())


def test_a_state_directory_that_is_away_is_told_and_tried_again(
    tmp_path: Path, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    files = AnnouncementFiles(settings(tmp_path), lambda: NOW)
    files.poll()
    files.poll()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    (tmp_path / "state").mkdir()
    files.poll()
    assert (tmp_path / "state" / FOLDER / "dnsmasq.conf").exists()


def test_kea_and_networkd_are_given_what_they_read() -> None:
    assert FILES["dnsmasq.conf"](URI) == f"dhcp-option-force=114,{URI}\ndhcp-option-force=option6:103,{URI}\n"
    assert json.loads("{" + FILES["kea-dhcp4.json"](URI) + "}") == {
        "option-data": [{"name": "v4-captive-portal", "data": URI, "always-send": True}]
    }
    assert json.loads("{" + FILES["kea-dhcp6.json"](None) + "}") == {"option-data": []}
    assert FILES["networkd.conf"](URI) == f"[DHCPServer]\nSendOption=114:string:{URI}\n"


def test_the_command_prints_lines_or_says_why_not(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gjestenett.toml"
    config.write_text(
        f'[portal]\nhostname = "{HOST}"\ntls_certificate = "{tmp_path}/portal.pem"\ntls_key = "{tmp_path}/portal.key"\n'
        "[enforcement]\nenabled = true\n"
    )
    run = CliRunner().invoke(cli, ["--config", str(config), "announce"])
    assert (run.exit_code, run.output) == (0, f"{URI}\n")
    run = CliRunner().invoke(cli, ["--config", str(config), "announce", "radvd"])
    assert run.output == f'AdvCaptivePortalAPI "{URI}";\n'
    authority.issue([HOST], tmp_path / "portal.pem", tmp_path / "portal.key", timedelta(hours=-1))
    run = CliRunner().invoke(cli, ["--config", str(config), "announce", "dnsmasq"])
    assert run.exit_code == 1
    assert "renew it" in run.output
    assert "dhcp-option" not in run.output
