"""Settings come from the environment, then the file, then the defaults; what is wrong is said in one line."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.errors import UsageError
from gateway.settings import Settings, load


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GJESTENETT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gjestenett.toml"


def refusal(file: Path | None = None) -> str:
    """The one line with which settings are refused."""
    with pytest.raises(UsageError) as caught:
        load(file)
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 2
    return message


def test_the_defaults_stand_on_loopback() -> None:
    settings = load()
    assert (settings.portal.host, settings.portal.port) == ("127.0.0.1", 8080)
    assert (settings.console.host, settings.console.port) == ("127.0.0.1", 8081)
    assert (settings.dns.listen, settings.dns.port) == ((IPv4Address("127.0.0.1"),), 5300)
    assert not settings.enforcement.enabled
    assert settings.public_url == "http://127.0.0.1:8080"


def test_environment_goes_before_file_and_file_before_default(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[portal]\nport = 1001\nhostname = "gjest.example"\n[owner]\nname = "Nybø"\n')
    monkeypatch.setenv("GJESTENETT_PORTAL__PORT", "1002")
    settings = load(file)
    assert settings.portal.port == 1002
    assert settings.portal.hostname == "gjest.example"
    assert settings.portal.https_port == 8443
    assert settings.owner.name == "Nybø"
    monkeypatch.delenv("GJESTENETT_PORTAL__PORT")
    assert load(file).portal.port == 1001


def test_the_file_is_named_by_argument_before_environment(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[portal]\nport = 1001\n")
    other = tmp_path / "other.toml"
    other.write_text("[portal]\nport = 1002\n")
    monkeypatch.setenv("GJESTENETT_CONFIG", str(other))
    assert load().portal.port == 1002
    assert load(file).portal.port == 1001


def test_the_state_directory_by_argument_environment_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().state == Path("state")
    monkeypatch.setenv("GJESTENETT_STATE", "/srv/state")
    assert load().state == Path("/srv/state")
    assert load(state=Path("/other")).state == Path("/other")
    assert load(state=Path("/other")).database_url == "sqlite:////other/gjestenett.sqlite3"


def test_lists_and_tables_are_json_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GJESTENETT_DNS__UPSTREAMS", '["192.0.2.1", "192.0.2.2:5353"]')
    monkeypatch.setenv("GJESTENETT_DNS__SOURCES", '{"10.0.0.0/8": "library"}')
    monkeypatch.setenv("GJESTENETT_PORTAL__LANGUAGES", '["nn"]')
    settings = load()
    assert settings.dns.upstreams == ("192.0.2.1", "192.0.2.2:5353")
    assert settings.dns.sources == {"10.0.0.0/8": "library"}
    assert settings.portal.languages == ("nn",)
    assert settings.dns.port == 5300


def test_a_table_replaces_what_it_goes_before(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('[dns.sources]\n"10.1.0.0/16" = "a"\n')
    assert load(file).dns.sources == {"10.1.0.0/16": "a"}
    monkeypatch.setenv("GJESTENETT_DNS__SOURCES", '{"10.2.0.0/16": "b"}')
    assert load(file).dns.sources == {"10.2.0.0/16": "b"}


@pytest.mark.parametrize("value", ["192.0.2.1", "[", "192.0.2.1, 192.0.2.2"])
def test_a_list_that_is_not_json_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GJESTENETT_DNS__UPSTREAMS", value)
    assert "dns" in (said := refusal())
    assert "setting dns.upstreams: in the environment lists and tables are JSON" in said
    assert "(in GJESTENETT_DNS__UPSTREAMS)" in said


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ("prtal = 1", "prtal"),
        ("[prtal]\nport = 1", "prtal"),
        ("[portal]\nprot = 1", "portal.prot"),
        ('_env_file = "x"', "_env_file"),
        ("[portal]\nlanguages = []", "portal.languages"),
        ('[portal]\nlanguages = ["xx"]', "portal.languages"),
        ("[portal]\nport = 0", "portal.port"),
        ("[portal]\nport = 65536", "portal.port"),
        ("[portal]\ngrant_hours = nan", "portal.grant_hours"),
        ("[sessions]\nhours_by_group = { course = 0 }", "sessions.hours_by_group"),
        ('[sessions.hours_by_group]\n"Two Words" = 1', "sessions.hours_by_group"),
        ("[sessions]\nreturn_days = 366", "sessions.return_days"),
        ("[sessions]\ndevices_per_person = 0", "sessions.devices_per_person"),
        ('[owner]\nkey = "Med Mellomrom"', "owner.key"),
        ('[enforcement]\nguest_interfaces = ["br guest"]', "enforcement.guest_interfaces"),
        ('portal = "x"', "portal"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_key_and_file(file: Path, document: str, key: str) -> None:
    file.write_text(document)
    said = refusal(file)
    assert f"setting {key}" in said
    assert str(file) in said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ('[dns]\nupstreams = "192.0.2.53"', 'setting dns.upstreams: write a list: ["192.0.2.53"] (in'),
        ("[dns]\nupstreams = [53]", "setting dns.upstreams, entry 1: write text in quotes (in"),
        ("[dns]\nlisten = []", "setting dns.listen: write at least 1 (in"),
        ('[dns]\nlisten = ["localhost"]', "setting dns.listen, entry 1: write a numeric address, as in 192.0.2.53 or"),
        ('[dns.zones]\n"." = ["192.0.2.1"]', "setting dns.zones.\".\": '.' is not a domain: the root means"),
        ('[dns.zones]\n"a.no" = "192.0.2.1"', 'setting dns.zones."a.no": write a list: ["192.0.2.1"] (in'),
        ('[dns.zones]\n"a.no" = []', 'setting dns.zones."a.no": write at least 1 (in'),
        (
            '[dns.zones]\n"a.no" = ["192.0.2.1"]\n"A.no." = ["192.0.2.2"]',
            "setting dns.zones: 'a.no' and 'A.no.' are the same; write it once (in",
        ),
        (
            '[dns.sources]\n"10.0.0.1/8" = "default"',
            "setting dns.sources.\"10.0.0.1/8\": '10.0.0.1/8' has host bits set; write 10.0.0.0/8 (in",
        ),
        ('[dns.sources]\nx = "default"', "setting dns.sources.x: 'x' is not a network; write it as 10.0.0.0/8 or"),
        (
            '[dns.sources]\n"::1/128" = "a"\n"0::1" = "b"',
            "setting dns.sources: '::1/128' and '0::1' are the same; write it once (in",
        ),
        ('[enforcement]\nprotected = ["10.20.0.1/16"]', "entry 1: write a network, as in 10.20.0.0/16 (in"),
        ('[portal]\nport = "many"', "setting portal.port: write a whole number (in"),
        ("[portal]\nport = 70000", "setting portal.port: write 65535 or less (in"),
        ('[portal]\nask_contact = "perhaps"', "write 'no', 'optional' or 'required' (in"),
        ('[portal]\nhostname = "a b"', "setting portal.hostname: write a host name, as in gjest."),
        ("[enforcement]\ndns_burst = 50000", "setting enforcement: dns_burst is more than a minute's worth"),
    ],
)
def test_how_to_write_it_is_said_in_our_own_words(file: Path, document: str, said: str) -> None:
    file.write_text(document)
    assert said in refusal(file)


def all_settings() -> list[str]:
    found = []
    for section, values in Settings.model_construct().model_dump().items():
        found += [f"{section}.{key}" for key in values] if isinstance(values, dict) else [section]
    return found


WRONG = f"""
5 -1 1.5 nan 1e30 99999999999999999999 true 2026-01-01 "" "xÆ" "{"x" * 300}" [] [5] [""] ["xÆ"] [[]]
{{}} {{x=5}} {{x=[5]}} {{"xÆ"=[]}} {{"10.0.0.1/8"=""}} {{"a..no"=["x"]}}
""".split()


@pytest.mark.parametrize("key", all_settings())
def test_no_wrong_value_of_any_setting_is_answered_in_the_librarys_words(file: Path, key: str) -> None:
    refused = 0
    for value in WRONG:
        file.write_text(f"{key} = {value}\n")
        try:
            load(file)
        except UsageError as problem:
            refused += 1
            said = str(problem)
            assert said.startswith(f"setting {key.partition('.')[0]}"), said
            for words in ("Input", "Value error", "[key]", "validat", "should", "valid ", "Tuple", "Dict", "{"):
                assert words not in said.replace(str(file), ""), said
    assert refused


def test_a_section_that_is_no_table_is_refused_even_beside_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("portal = 5")
    monkeypatch.setenv("GJESTENETT_PORTAL__PORT", "1002")
    assert "setting portal" in refusal(file)


@pytest.mark.parametrize(
    "name",
    ["GJESTENETT_PORTL__PORT", "GJESTENETT_PORTAL__PROT", "GJESTENETT_PORTAL_PORT", "GJESTENETT_PORTAL__PORT__X"],
)
def test_a_misspelt_variable_is_refused_by_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1002")
    said = refusal()
    assert name in said or "portal" in said


def test_the_variable_and_not_the_file_is_blamed_for_its_value(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[console]\nport = 1\n")
    monkeypatch.setenv("GJESTENETT_PORTAL__PORT", "many")
    said = refusal(file)
    assert "GJESTENETT_PORTAL__PORT" in said
    assert str(file) not in said


@pytest.mark.parametrize("content", [b"[portal", b"port = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_corrupt_file_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    said = refusal(file)
    assert str(file) in said
    assert "not valid TOML" in said


def test_a_file_with_a_byte_order_mark_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[portal]\r\nport = 1001\r\n")
    assert load(file).portal.port == 1001


def test_a_file_that_is_missing_or_a_directory_is_refused(file: Path, tmp_path: Path) -> None:
    assert "can't be read" in refusal(file)
    assert "can't be read" in refusal(tmp_path)


def test_the_database_url_is_read_from_its_file(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "url"
    file.write_text(f'[database]\nurl_file = "{secret}"\n')
    settings = load(file)
    with pytest.raises(UsageError, match=r"url_file can't be read"):
        _ = settings.database_url
    secret.write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        _ = settings.database_url
    secret.write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"url_file can't be read"):
        _ = settings.database_url
    secret.write_text("postgresql://user:secret@db/guests\n")
    assert settings.database_url == "postgresql://user:secret@db/guests"
    assert "secret@" not in repr(settings)


def test_the_database_url_can_stand_in_the_settings(file: Path) -> None:
    file.write_text('[database]\nurl = "postgresql://db/guests"\n')
    assert load(file).database_url == "postgresql://db/guests"


@pytest.mark.parametrize(
    ("document", "url"),
    [
        ("[enforcement]\nenabled = true", "http://gjest.internal"),
        ('[enforcement]\nenabled = true\n[portal]\ntls_certificate = "c.pem"', "https://gjest.internal"),
        ('[portal]\npublic_url = "https://gjest.example/"', "https://gjest.example"),
    ],
)
def test_where_guests_reach_the_portal(file: Path, document: str, url: str) -> None:
    file.write_text(document)
    assert load(file).public_url == url


def test_settings_do_not_change_after_the_start() -> None:
    settings = load()
    with pytest.raises(ValidationError):
        settings.portal.port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.state = Path("x")  # type: ignore[misc]
    assert Settings.model_config["extra"] == "forbid"
