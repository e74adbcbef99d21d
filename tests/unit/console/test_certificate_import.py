"""A certificate of an internal CA: asked for, taken in as PEM or PFX, refused where it could not be served."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from cryptography.x509.oid import NameOID

from captive_portal.auth import certificate_import
from captive_portal.auth.certificate import describe, ensure_certificate, tls_paths
from captive_portal.auth.certificate_import import make_request, request_key_path, take_in
from gateway.cli import cli
from gateway.errors import UsageError
from gateway.settings import Console

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CONSOLE = Console(host="192.0.2.1", hostname="konsoll.example.test")


class Ca:
    """A root, one CA below it, and what they sign."""

    def __init__(self) -> None:
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self.signed("Root", self.root_key.public_key(), "Root", self.root_key)
        self.own = self.signed("Storvik CA", self.key.public_key(), "Root", self.root_key)

    @staticmethod
    def signed(subject: str, public, issuer: str, by, until=NOW + timedelta(days=365), names=("konsoll.example.test",)):
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named(issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=700))
            .not_valid_after(until)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
            .sign(by, hashes.SHA256())
        )

    def leaf(self, public, **other) -> x509.Certificate:
        return self.signed("konsoll.example.test", public, "Storvik CA", self.key, **other)

    def answer(self, request: bytes) -> x509.Certificate:
        """What a CA gives back for a request."""
        asked = x509.load_pem_x509_csr(request)
        assert asked.is_signature_valid
        return self.leaf(asked.public_key())


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def pem(*items) -> bytes:
    return b"".join(item.public_bytes(Encoding.PEM) for item in items)


def key_pem(key, password: bytes | None = None) -> bytes:
    lock = NoEncryption() if password is None else BestAvailableEncryption(password)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def served(state: Path) -> list[x509.Certificate]:
    certificate_path, key_path = tls_paths(state)
    chain = x509.load_pem_x509_certificates(certificate_path.read_bytes())
    key = load_pem_private_key(key_path.read_bytes(), None)
    assert key.public_key() == chain[0].public_key()
    assert key_path.stat().st_mode & 0o777 == 0o600
    return chain


def test_a_request_has_the_consoles_names_and_its_answer_is_served_with_its_chain(tmp_path, ca):
    own = ensure_certificate(tmp_path, CONSOLE, NOW)
    request = make_request(tmp_path, CONSOLE, "Storvik kommune")
    asked = x509.load_pem_x509_csr(request)
    names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["konsoll.example.test"], "nobody's CA signs localhost"
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert ensure_certificate(tmp_path, CONSOLE, NOW).sha256 == own.sha256, "asking changes nothing"
    assert request_key_path(tmp_path).stat().st_mode & 0o777 == 0o600
    again = x509.load_pem_x509_csr(make_request(tmp_path, CONSOLE, "Storvik kommune"))
    assert again.public_key() == asked.public_key()
    answer = ca.answer(request)
    taken = take_in(tmp_path, CONSOLE, pem(ca.root, ca.own, answer), None, NOW)
    assert served(tmp_path) == [answer, ca.own], "ordered, and without the root"
    assert not request_key_path(tmp_path).exists()
    assert taken.warnings == []
    assert ensure_certificate(tmp_path, CONSOLE, NOW + timedelta(days=360)).sha256 == taken.sha256, "and left alone"
    found = describe(tmp_path)
    assert (found.issuer, found.is_ours, found.names) == ("Storvik CA", False, ("konsoll.example.test",))


@pytest.mark.parametrize("password", [None, b"hemmelig"])
def test_pfx_is_taken_in_with_its_key_and_chain(tmp_path, ca, password):
    key = rsa.generate_private_key(65537, 2048)
    leaf = ca.leaf(key.public_key())
    lock = NoEncryption() if password is None else BestAvailableEncryption(password)
    bag = serialize_key_and_certificates(b"konsoll", key, leaf, [ca.root, ca.own], lock)
    if password is not None:
        with pytest.raises(UsageError, match="password"):
            take_in(tmp_path, CONSOLE, bag, b"feil", NOW)
        assert not tls_paths(tmp_path)[0].exists()
    take_in(tmp_path, CONSOLE, bag, password, NOW)
    assert served(tmp_path) == [leaf, ca.own]


@pytest.mark.parametrize("password", [None, b"hemmelig"])
def test_pem_with_its_key_in_any_order_or_beside_it(tmp_path, ca, password):
    key = ec.generate_private_key(ec.SECP256R1())
    leaf, locked = ca.leaf(key.public_key()), key_pem(key, password)
    take_in(tmp_path / "a", CONSOLE, locked + pem(leaf, ca.own), password, NOW)
    take_in(tmp_path / "b", CONSOLE, pem(ca.own, leaf) + locked, password, NOW)
    take_in(tmp_path / "c", CONSOLE, pem(leaf), password, NOW, locked)
    take_in(tmp_path / "d", CONSOLE, leaf.public_bytes(Encoding.DER), password, NOW, locked)
    assert served(tmp_path / "a") == served(tmp_path / "b") == [leaf, ca.own]
    assert served(tmp_path / "c") == served(tmp_path / "d") == [leaf]


def test_what_could_not_be_served_is_refused_and_changes_nothing(tmp_path, ca):
    before = ensure_certificate(tmp_path, CONSOLE, NOW).sha256
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    leaf = ca.leaf(key.public_key())
    short, strange = rsa.generate_private_key(65537, 1024), ed448.Ed448PrivateKey.generate()
    ended = ca.leaf(key.public_key(), until=NOW - timedelta(hours=1))
    cases = [
        (pem(leaf), None, "no request is waiting"),
        (pem(leaf) + key_pem(other), None, "not for this key"),
        (pem(leaf) + key_pem(key, b"hemmelig"), None, "password"),
        (pem(leaf) + key_pem(key, b"hemmelig"), b"feil", "password"),
        (pem(ended) + key_pem(key), None, "expired"),
        (pem(ca.leaf(short.public_key())) + key_pem(short), None, "too short"),
        (pem(ca.leaf(strange.public_key())) + key_pem(strange), None, "kind"),
        (key_pem(key), None, "holds no certificate"),
        (b"nonsense", None, "neither PEM nor PFX"),
        (b"", None, "neither PEM nor PFX"),
        (b"x" * (1024 * 1024 + 1), None, "larger"),
        (pem(leaf).replace(b"MII", b"???"), None, "PEM"),
    ]
    for content, password, said in cases:
        with pytest.raises(UsageError, match=said):
            take_in(tmp_path, CONSOLE, content, password, NOW)
    assert ensure_certificate(tmp_path, CONSOLE, NOW).sha256 == before


def test_what_a_browser_would_dislike_is_said(tmp_path, ca):
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = ca.leaf(key.public_key(), names=("annen.example.test",), until=NOW + timedelta(days=5))
    said = " ".join(take_in(tmp_path, CONSOLE, pem(leaf) + key_pem(key), None, NOW).warnings)
    assert "annen.example.test" in said
    assert "expires" in said


@pytest.mark.parametrize("cut_before", ["console-next.pem", "console.key", "console.pem"])
def test_an_import_that_is_cut_off_is_whole_or_not_at_all_after_the_next_start(tmp_path, ca, monkeypatch, cut_before):
    first_key, second_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    first, second = ca.leaf(first_key.public_key()), ca.leaf(second_key.public_key())
    take_in(tmp_path, CONSOLE, pem(first) + key_pem(first_key), None, NOW)

    def cut(real, name_at):
        def step(*given):
            if Path(given[name_at]).name == cut_before:
                raise KeyboardInterrupt
            return real(*given)

        return step

    monkeypatch.setattr(certificate_import, "replace_file", cut(certificate_import.replace_file, 0))
    monkeypatch.setattr(certificate_import.os, "replace", cut(certificate_import.os.replace, 1))
    with pytest.raises(KeyboardInterrupt):
        take_in(tmp_path, CONSOLE, pem(second) + key_pem(second_key), None, NOW)
    monkeypatch.undo()
    ensure_certificate(tmp_path, CONSOLE, NOW)
    assert served(tmp_path) == [second if cut_before == "console.pem" else first]
    assert not (tls_paths(tmp_path)[0].parent / "console-next.pem").exists()


def test_the_command_asks_imports_and_shows(tmp_path, monkeypatch):
    monkeypatch.setenv("GJESTENETT_STATE", str(tmp_path))
    ca, run = Ca(), CliRunner()
    empty = run.invoke(cli, ["certificate", "show"])
    assert (empty.exit_code, "there is no certificate" in empty.stderr) == (2, True)
    asked = run.invoke(cli, ["certificate", "request", "--out", str(tmp_path / "console.csr")])
    assert asked.exit_code == 0, asked.output
    public = x509.load_pem_x509_csr((tmp_path / "console.csr").read_bytes()).public_key()
    until = datetime.now(UTC) + timedelta(days=90, hours=1)
    file = tmp_path / "answer.pem"
    file.write_bytes(pem(ca.leaf(public, until=until, names=("localhost",))))
    taken = run.invoke(cli, ["certificate", "import", str(file)])
    assert taken.exit_code == 0, taken.output
    shown = run.invoke(cli, ["certificate", "show", "--json"])
    said = json.loads(shown.output)
    assert (said["days_left"], said["issuer"], said["names"], said["own"]) == (90, "Storvik CA", ["localhost"], False)
    assert said["sha256"] in taken.output
    missing = run.invoke(cli, ["certificate", "import", str(tmp_path / "nowhere.pfx")])
    assert (missing.exit_code, "can't be read" in missing.stderr) == (2, True)
