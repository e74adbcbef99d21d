"""Settings of courses, Wi-Fi, mail and hosts: what is refused, with words that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from captive_portal.console.courses.posters import wifi_password
from gateway.access.host_mail import check_mail
from gateway.errors import UsageError
from gateway.settings import load

MAIL = '[mail]\nhost = "smtp.example.no"\nsender = "gjest@example.no"\n'


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('[wifi]\nssid = "x"\nsecurity = "wpa"\n', "set both or neither"),
        (f'[wifi]\nssid = "{"ø" * 17}"\n', "at most 32 bytes"),
        ('[mail]\nhost = "smtp.example.no"\n', "set both or neither"),
        ('[mail]\nhost = "smtp.example.no"\nsender = "x"\n', "write an e-mail address"),
        (MAIL + 'username = "u"\n', "set both or neither"),
        (MAIL + 'username = "u"\npassword_file = "p"\nsecurity = "none"\n', "not sent unencrypted"),
        ('[hosts]\ngroups = ["default"]\n', "nobody could be asked"),
        ('[hosts]\nwait_minutes = 1\n', "5 or more"),
        ('[hosts]\nanswer_url = "http://vert.example.no"\n', "begins with https://"),
        ('[[hosts.people]]\nname = ""\nemail = "a@b.no"\n', "hosts.people"),
        ('[courses]\nhost_groups = ["æ"]\n', "courses.host_groups"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(tmp_path: Path, toml: str, told: str) -> None:
    config = tmp_path / "g.toml"
    config.write_text(toml)
    with pytest.raises(UsageError, match=told):
        load(config, tmp_path)


def test_hosts_without_a_mail_server_can_not_be_asked(tmp_path: Path) -> None:
    config = tmp_path / "g.toml"
    config.write_text('[hosts]\ngroups = ["default"]\ndomains = ["example.no"]\n')
    with pytest.raises(UsageError, match=r"set mail\.host"):
        check_mail(load(config, tmp_path))
    config.write_text(f'[hosts]\ngroups = ["default"]\ndomains = ["example.no"]\n{MAIL}')
    check_mail(load(config, tmp_path))


def test_a_password_of_the_wifi_that_can_not_be_one_is_refused(tmp_path: Path) -> None:
    config, password = tmp_path / "g.toml", tmp_path / "password"
    config.write_text(f'[wifi]\nssid = "x"\nsecurity = "wpa"\npassword_file = "{password}"\n')
    settings = load(config, tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        wifi_password(settings.wifi)
    password.write_text("short\n")
    with pytest.raises(UsageError, match="8 to 63"):
        wifi_password(settings.wifi)
    password.write_text("long enough; really\n")
    assert wifi_password(settings.wifi) == "long enough; really"
