"""One contract for every kind of target, each against the real thing; and what each kind has of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.audit import note
from gateway.audit.cosignature import cosignatures
from gateway.audit.targets import https, seam
from gateway.audit.targets.directory import DirectoryTarget
from gateway.audit.targets.seam import TargetError
from tests.contract.audit.targets.kinds import (
    COSIGNER,
    NOW,
    ORIGIN,
    SIGNER,
    Directory,
    Https,
    Kind,
    Mail,
    Witness,
    hanging_port,
    open_kind,
    package,
)

KINDS = ["directory", "https", "witness", "email-starttls", "email-tls"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kind]:
    with open_kind(request.param, tmp_path) as made:
        yield made


def sent(*packages: seam.Package, erasures: bool = True) -> list[tuple[bytes, bytes]]:
    return [(each.note, each.erasures if erasures else b"") for each in packages]


def test_what_is_sent_is_kept_and_sending_it_again_changes_nothing(kind: Kind) -> None:
    one, two = package(5), package(9)
    for each in (one, one, two, two):
        kind.target.send(each, NOW)
    assert kind.taken() == sent(one, two, erasures=not isinstance(kind, Witness))


def test_what_can_not_be_sent_is_said_in_one_line_and_sent_once_it_can(kind: Kind) -> None:
    kind.take_away()
    with pytest.raises(TargetError) as caught:
        kind.target.send(package(5), NOW)
    assert "\n" not in str(caught.value)
    assert 10 < len(str(caught.value)) <= 300


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with open_kind("directory", tmp_path) as made:
        assert isinstance(made, Directory)
        yield made


def test_a_directory_is_never_written_over(directory: Directory) -> None:
    directory.target.send(package(5), NOW)
    path = next(directory.path.rglob("*.checkpoint"))
    path.write_bytes(b"somebody's")
    with pytest.raises(TargetError, match="not overwritten"):
        directory.target.send(package(5), NOW)
    assert path.read_bytes() == b"somebody's"
    assert not [each for each in directory.path.rglob("*") if each.name.startswith(".")]


def test_a_directory_tells_the_largest_checkpoint_of_the_log_that_it_holds(directory: Directory) -> None:
    assert directory.target.send(package(5), NOW).held is None
    directory.target.send(package(9), NOW)
    folder = directory.path / ORIGIN.replace("/", "_")
    (folder / "000000000099-aaaaaaaa.checkpoint").write_bytes(package(9).note[:-20])  # cut off
    (folder / "000000000098-aaaaaaaa.checkpoint").write_bytes(
        package(98, signer=note.SignerKey(ORIGIN, b"x" * 32)).note
    )
    (folder / "9-of-them.checkpoint").write_bytes(b"no name of ours")
    assert directory.target.send(package(5), NOW).held == seam.Held(99, package(9).note)


def test_checkpoints_by_a_later_key_count_by_their_size_however_many_they_are(directory: Directory) -> None:
    directory.target.send(package(5), NOW)
    later = note.SignerKey(ORIGIN, b"x" * 32)
    for size in range(20, 140):
        directory.target.send(package(size, signer=later), NOW)
    assert directory.target.held([SIGNER.verifier]) == seam.Held(139)
    assert directory.target.held([SIGNER.verifier, later.verifier]) == seam.Held(139, package(139, signer=later).note)


def test_two_histories_of_one_size_stand_beside_each_other(directory: Directory) -> None:
    directory.target.send(package(5), NOW)
    directory.target.send(package(5, "other"), NOW)
    assert len(list(directory.path.rglob("*.checkpoint"))) == 2


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for little."""
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "none", path], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not permitted here")
    yield path
    subprocess.run(["umount", path], check=True)


def test_a_full_directory_fails_whole_and_is_served_once_there_is_room(small: Path) -> None:
    target = DirectoryTarget("t", small, ORIGIN)
    target.send(package(5), NOW)
    filling = small / "filling"
    with contextlib.suppress(OSError), filling.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(TargetError, match="No space left") as caught:
        target.send(package(9), NOW)
    assert caught.value.held is not None
    assert caught.value.held.size == 5
    assert [path.name[:12] for path in small.rglob("*.checkpoint")] == ["000000000005"]
    assert not list(small.rglob(".*"))
    filling.unlink()
    target.send(package(9), NOW)
    assert len(list(small.rglob("*.checkpoint"))) == 2


def test_a_read_only_directory_is_said(small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    with pytest.raises(TargetError, match="Read-only"):
        DirectoryTarget("t", small, ORIGIN).send(package(5), NOW)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Https]:
    with open_kind("https", tmp_path) as made:
        assert isinstance(made, Https)
        yield made


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 503])
def test_what_a_service_answers_is_said(service: Https, status: int) -> None:
    service.status = status
    with pytest.raises(TargetError, match=str(status)):
        service.target.send(package(5), NOW)


def test_a_service_without_the_token_or_by_a_foreign_certificate_is_refused(service: Https, tmp_path: Path) -> None:
    service.token_file.write_text("another")
    with pytest.raises(TargetError, match="401"):
        service.target.send(package(5), NOW)
    service.token_file.write_text("")
    with pytest.raises(TargetError, match="is empty"):
        service.target.send(package(5), NOW)
    service.token_file.unlink()
    with pytest.raises(TargetError, match="No such file"):
        service.target.send(package(5), NOW)
    with pytest.raises(TargetError, match=r"(?i)certificate"):
        https.HttpsTarget("t", service.url, None, None).send(package(5), NOW)
    with pytest.raises(TargetError, match="ca_file"):
        https.HttpsTarget("t", service.url, None, tmp_path / "none.pem").send(package(5), NOW)
    assert service.taken() == []


def test_a_service_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(https, "TIMEOUT_S", 0.3)
    with hanging_port() as listening:
        target = https.HttpsTarget("t", f"https://127.0.0.1:{listening.getsockname()[1]}", None, None)
        with pytest.raises(TargetError, match="can't be reached"):
            target.send(package(5), NOW)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    with open_kind("witness", tmp_path) as made:
        assert isinstance(made, Witness)
        yield made


def test_a_witness_cosigns_what_grows_wherever_it_stands(witness: Witness) -> None:
    for size in (0, 1, 5, 5, 6, 300):
        sending = package(size)
        [cosigned] = witness.target.send(sending, NOW).cosigned
        whole = note.parse(sending.note + cosigned.line.encode())
        assert cosignatures(whole.text, whole.signatures, [COSIGNER.verifier])[0].time_s == NOW.timestamp()


def test_a_witness_finds_a_rewritten_and_a_restored_log(witness: Witness) -> None:
    witness.target.send(package(9), NOW)
    with pytest.raises(TargetError, match="rewritten"):
        witness.target.send(package(12, "other"), NOW)
    with pytest.raises(TargetError, match="rewritten"):
        witness.target.send(package(9, "other"), NOW)
    with pytest.raises(TargetError, match="restored") as caught:
        witness.target.send(package(5), NOW)
    assert caught.value.held is None, "its number alone must not stop the sealer"
    with pytest.raises(TargetError, match="does not know the key"):
        witness.target.send(package(12, signer=note.SignerKey(ORIGIN, b"x" * 32)), NOW)
    assert witness.last == package(9).checkpoint


@pytest.mark.parametrize("answer", [b"", b"nonsense\n", b"\xff", b"x" * 200_000])
def test_a_witness_that_answers_nonsense_is_not_believed(
    witness: Witness, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    for status in (200, 409):
        monkeypatch.setattr(witness, "answer", lambda *_, status=status: (status, "text/plain", answer))
        with pytest.raises(TargetError):
            witness.target.send(package(5), NOW)


def test_a_cosignature_of_something_else_or_by_somebody_else_is_not_believed(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, why in ((SIGNER.verifier.name.encode() + b"\n", "does not hold"), (b"", "does not hold")):
        line = COSIGNER.cosign(text, 1).line().encode()
        monkeypatch.setattr(witness, "answer", lambda *_, line=line: (200, "text/plain", line))
        with pytest.raises(TargetError, match=why):
            witness.target.send(package(5), NOW)
    other = type(COSIGNER)("else", bytes(32)).cosign(package(5).note, 1).line().encode()
    monkeypatch.setattr(witness, "answer", lambda *_: (200, "text/plain", other))
    with pytest.raises(TargetError, match="without a cosignature"):
        witness.target.send(package(5), NOW)


@pytest.fixture
def mail(tmp_path: Path) -> Iterator[Mail]:
    with open_kind("email-starttls", tmp_path) as made:
        assert isinstance(made, Mail)
        yield made


def test_mail_that_is_not_taken_by_all_has_failed(mail: Mail) -> None:
    with pytest.raises(TargetError, match=r"full@example\.no"):
        mail.with_(to=("revisor@example.no", "full@example.no")).send(package(5), NOW)
    mail.password_file.write_text("feil")
    with pytest.raises(TargetError, match="user name and password") as caught:
        mail.target.send(package(5), NOW)
    assert "feil" not in str(caught.value)
    with pytest.raises(TargetError, match=r"(?i)certificate"):
        mail.with_(ca_file=None).send(package(5), NOW)


def test_a_password_never_travels_without_tls(mail: Mail) -> None:
    """A server that offers no TLS is not given the password: `starttls` fails instead of going on."""
    with pytest.raises(TargetError):
        mail.with_(security="tls").send(package(5), NOW)
    assert mail.taken() == []
