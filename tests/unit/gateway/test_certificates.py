"""A certificate that can't serve guests is refused before the start; one that displeases browsers is warned of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from gateway.certificates import check_certificate, trouble_with
from gateway.errors import UsageError

NOW = datetime(2026, 11, 22, 8, 55, tzinfo=UTC)
HOST = "gjest.example.no"
DAY = timedelta(days=1)


def make(
    folder: Path,
    *names: str,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + 80 * DAY,
    lock: KeySerializationEncryption | None = None,
) -> tuple[Path, Path]:
    """A self-signed certificate in `portal.pem` and its key in `portal.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        held = [x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(held), critical=False)
    pem, key_file = folder / "portal.pem", folder / "portal.key"
    pem.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption()))
    return pem, key_file


def check(pem: Path, key: Path, host: str = HOST) -> list[str]:
    return check_certificate(pem, key, "portal.tls_certificate", host, NOW)


def refusal(pem: Path, key: Path) -> str:
    with pytest.raises(UsageError) as caught:
        check(pem, key)
    return str(caught.value)


def test_a_sound_one_is_passed_over_in_silence(tmp_path: Path) -> None:
    assert check(*make(tmp_path, "other.example.no", HOST)) == []


def test_what_is_no_certificate_or_no_key_is_refused(tmp_path: Path) -> None:
    pem, key = make(tmp_path, HOST)
    whole = key.read_bytes()
    key.write_text("garbage")
    assert f"the key {key} can't be used" in refusal(pem, key)
    key.write_bytes(b"")
    assert f"the key {key} can't be used" in refusal(pem, key)
    key.write_bytes(whole)
    for octets in (b"garbage", b"", whole, pem.read_bytes()[:200], b"\xff\xfe\0"):
        pem.write_bytes(octets)
        assert f"{pem} holds no certificate" in refusal(pem, key)


def test_a_file_that_is_away_or_a_directory_is_refused(tmp_path: Path) -> None:
    pem, key = make(tmp_path, HOST)
    assert "none is not there" in refusal(pem, tmp_path / "none")
    assert "can't be read (Is a directory)" in refusal(tmp_path, key)


def test_a_certificate_with_another_key_is_refused(tmp_path: Path) -> None:
    pem, _ = make(tmp_path, HOST)
    (tmp_path / "second").mkdir()
    _, other = make(tmp_path / "second", HOST)
    assert f"{other} is not the key of {pem}" in refusal(pem, other)


def test_a_locked_key_is_refused_without_asking_the_terminal(tmp_path: Path) -> None:
    assert "locked with a password" in refusal(*make(tmp_path, HOST, lock=BestAvailableEncryption(b"hemmelig")))


@pytest.mark.parametrize(
    ("begins", "ends", "said"),
    [
        (NOW - 90 * DAY, NOW - DAY, "expired on 2026-11-21"),
        (NOW + DAY, NOW + 90 * DAY, "not valid before 2026-11-23 08:55 UTC"),
        (NOW - 80 * DAY, NOW + 10 * DAY, "expires on 2026-12-02"),
        (NOW - 5 * DAY, NOW + DAY, "expires on 2026-11-23"),
    ],
)
def test_times_are_warned_of(tmp_path: Path, begins: datetime, ends: datetime, said: str) -> None:
    [warning] = check(*make(tmp_path, HOST, begins=begins, ends=ends))
    assert said in warning


def test_a_certificate_of_six_days_is_not_warned_of_while_it_is_young(tmp_path: Path) -> None:
    assert check(*make(tmp_path, HOST, begins=NOW - DAY, ends=NOW + 5 * DAY)) == []


@pytest.mark.parametrize(
    ("names", "host"),
    [
        ((HOST,), "GJEST.example.no."),
        (("*.example.no",), HOST),
        (("*.EXAMPLE.no",), HOST),
        (("192.0.2.1",), "192.0.2.1"),
    ],
)
def test_names_that_match(tmp_path: Path, names: tuple[str, ...], host: str) -> None:
    assert check(*make(tmp_path, *names), host) == []


@pytest.mark.parametrize(
    ("names", "host", "but"),
    [
        (("www.example.no",), HOST, "www.example.no"),
        ((), HOST, "no name"),
        (("*.no",), HOST, "*.no"),
        (("*.example.no",), "example.no", "*.example.no"),
        (("*.example.no",), "a.gjest.example.no", "*.example.no"),
        (("192.0.2.1",), "192.0.2.2", "192.0.2.1"),
    ],
)
def test_names_that_do_not_match_are_warned_of(tmp_path: Path, names: tuple[str, ...], host: str, but: str) -> None:
    [warning] = check(*make(tmp_path, *names), host)
    assert f"is not for {host} but for {but};" in warning


def test_a_certificate_that_vouches_for_itself_is_believed_by_nobody(tmp_path: Path) -> None:
    pem, _ = make(tmp_path, HOST)
    assert trouble_with(pem, HOST, NOW) == "self_signed"
    assert trouble_with(None, HOST, NOW) == "none"
