from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from captive_portal.auth.certificate import RENEW_BEFORE, VALIDITY, ensure_certificate
from gateway.errors import UsageError
from gateway.settings import Console

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONSOLE = Console(host="192.0.2.1", hostname="konsoll.example.test")


def test_first_start_makes_a_p256_certificate_with_every_name_and_a_private_key_file(tmp_path):
    made = ensure_certificate(tmp_path, CONSOLE, NOW)
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"konsoll.example.test", "localhost"}
    assert set(names.get_values_for_type(x509.IPAddress)) == {
        ip_address("127.0.0.1"), ip_address("::1"), ip_address("192.0.2.1"),
    }  # fmt: skip
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert made.key.stat().st_mode & 0o777 == 0o600
    assert len(made.sha256) == 95
    assert [path.name for path in made.key.parent.iterdir() if path.name.startswith(".")] == []


def test_later_starts_keep_it_until_shortly_before_it_ends(tmp_path):
    first = ensure_certificate(tmp_path, CONSOLE, NOW)
    assert ensure_certificate(tmp_path, CONSOLE, NOW + timedelta(days=100)).sha256 == first.sha256
    late = NOW + VALIDITY - RENEW_BEFORE
    assert ensure_certificate(tmp_path, CONSOLE, late).sha256 != first.sha256


def test_a_changed_name_makes_a_new_one(tmp_path):
    first = ensure_certificate(tmp_path, CONSOLE, NOW)
    other = CONSOLE.model_copy(update={"hostname": "annen.example.test"})
    assert ensure_certificate(tmp_path, other, NOW).sha256 != first.sha256


def test_a_start_cut_off_between_the_two_files_heals(tmp_path):
    first = ensure_certificate(tmp_path, CONSOLE, NOW)
    first.certificate.unlink()
    second = ensure_certificate(tmp_path, CONSOLE, NOW)
    other = ensure_certificate(tmp_path / "other", CONSOLE, NOW)
    second.key.write_bytes(other.key.read_bytes())
    third = ensure_certificate(tmp_path, CONSOLE, NOW)
    assert len({first.sha256, second.sha256, third.sha256}) == 3


def test_damage_is_one_clear_line_and_nothing_is_overwritten(tmp_path):
    made = ensure_certificate(tmp_path, CONSOLE, NOW)
    made.certificate.write_text("not a certificate")
    with pytest.raises(UsageError, match="damaged"):
        ensure_certificate(tmp_path, CONSOLE, NOW)
    assert made.certificate.read_text() == "not a certificate"
    made.key.unlink()
    with pytest.raises(UsageError, match="has no console"):
        ensure_certificate(tmp_path, CONSOLE, NOW)


def test_somebody_elses_certificate_is_left_alone(tmp_path):
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    made = ensure_certificate(tmp_path, CONSOLE, NOW)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kommunens egen")])
    foreign = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made.certificate.write_bytes(foreign.public_bytes(Encoding.PEM))
    with pytest.raises(UsageError, match="is not the key of"):
        ensure_certificate(tmp_path, CONSOLE, NOW)
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ensure_certificate(tmp_path, CONSOLE, NOW)
    assert made.certificate.read_bytes() == foreign.public_bytes(Encoding.PEM)
