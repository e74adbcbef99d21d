"""Forgeries whose manifest fits: what the sidecar can't name, the log itself must."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gateway.audit import canonical, merkle
from gateway.audit.checkpoint import Checkpoint, sign_checkpoint
from tests.unit.audit.forgeries.case import FOREIGN, LOG, Case, fitting, lines_of, repacked
from tests.unit.audit.specimen import SIGNER, sha256

Forge = Callable[[dict[str, bytes]], None]


def drop_entry(files: dict[str, bytes]) -> None:
    del (lines := lines_of(files, "entries.jsonl"))[4]
    files["entries.jsonl"] = b"".join(lines)


def swap_entries(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "entries.jsonl")
    lines[4], lines[5] = lines[5], lines[4]
    files["entries.jsonl"] = b"".join(lines)


def other_site(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "entries.jsonl")
    lines[4] = lines[4].replace(b"hovedbygg", b"skolebygg")
    files["entries.jsonl"] = b"".join(lines)


def other_site_with_leaf(files: dict[str, bytes]) -> None:
    other_site(files)
    lines = lines_of(files, "leaves.txt")
    lines[4] = merkle.leaf_hash(lines_of(files, "entries.jsonl")[4][:-1]).hex()[:16].encode() + b"\n"
    files["leaves.txt"] = b"".join(lines)
    files["view.csv"] = files["view.csv"].replace(b'"hovedbygg"', b'"skolebygg"', 1)


def other_name(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b"Kari", b"Lise", 1)
    files["view.csv"] = files["view.csv"].replace(b"Kari", b"Lise", 1)


def twice(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "disclosures.jsonl")
    files["disclosures.jsonl"] = b"".join([lines[0], *lines])


def hidden_disclosure(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = b"".join(lines_of(files, "disclosures.jsonl")[1:])


def csv_row(files: dict[str, bytes]) -> None:
    files["view.csv"] = files["view.csv"].replace(b'"self_declared"', b'"host_approved"', 1)


def csv_extra(files: dict[str, bytes]) -> None:
    files["view.csv"] += b'"x"\r\n'


def leaf(files: dict[str, bytes]) -> None:
    files["leaves.txt"] = b"0" * 16 + files["leaves.txt"][16:]


def text(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.endswith(".md"))
    files[name] += b"\n"


def no_text(files: dict[str, bytes]) -> None:
    del files[next(name for name in files if name.endswith(".md"))]


def extra_text(files: dict[str, bytes]) -> None:
    files[f"terms/{sha256(b'x')}.md"] = b"x"


def proof(files: dict[str, bytes]) -> None:
    lines = lines_of(files, "range-proof.txt")
    lines[5], lines[6] = lines[6], lines[5]
    files["range-proof.txt"] = b"".join(lines)


def smaller_checkpoint(files: dict[str, bytes]) -> None:
    files["checkpoint"] = LOG.checkpoint(42)


def other_keys(files: dict[str, bytes]) -> None:
    files["keys.vkey"] = (str(type(SIGNER)(SIGNER.name, bytes(32)).verifier) + "\n").encode()


def no_last_entry(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] = b"".join(lines_of(files, "entries.jsonl")[:-1])


def one_more_entry(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] += lines_of(files, "entries.jsonl")[-1]


def no_end(files: dict[str, bytes]) -> None:
    files["entries.jsonl"] = files["entries.jsonl"][:-1]


def more_leaves(files: dict[str, bytes]) -> None:
    files["leaves.txt"] += b"0" * 16 + b"\n"


def stray_disclosure(files: dict[str, bytes]) -> None:
    line = {"index": 99, "name": "name", "salt": "A" * 22, "value": "x"}
    files["disclosures.jsonl"] += canonical.encode(line) + b"\n"


def odd_disclosure(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"index":7', b'"index":"7"', 1)


def spaced_disclosure(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b",", b", ", 1)


def half_a_pair(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"value":"', b'"value":"\\ud800', 1)


def fraction(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"index":7', b'"index":7.5', 1)


def huge(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"index":7', b'"index":9007199254740993', 1)


def not_utf8(files: dict[str, bytes]) -> None:
    files["disclosures.jsonl"] = files["disclosures.jsonl"].replace(b'"value":"', b'"value":"\xff', 1)


def longer_proof(files: dict[str, bytes]) -> None:
    files["range-proof.txt"] += lines_of(files, "range-proof.txt")[-1]


def resigned(files: dict[str, bytes]) -> None:
    files["checkpoint"] = FOREIGN and sign_checkpoint(Checkpoint(FOREIGN.name, 43, LOG.roots[43]), FOREIGN)


def padded_base64(files: dict[str, bytes]) -> None:
    files["range-proof.txt"] = files["range-proof.txt"].replace(b"=\n", b"==\n", 1)


FORGERIES: tuple[tuple[Forge, str, str], ...] = (
    (drop_entry, "entries.jsonl", "line 5 (entry 11)"),
    (swap_entries, "entries.jsonl", "line 5 (entry 11)"),
    (other_site, "entries.jsonl", "line 5 (entry 11)"),
    (other_site_with_leaf, "range-proof.txt", ""),
    (no_last_entry, "entries.jsonl", "line 36 (entry 42)"),
    (one_more_entry, "entries.jsonl", "line 37 (entry 43)"),
    (no_end, "entries.jsonl", "line 36 (entry 42)"),
    (other_name, "disclosures.jsonl", "line"),
    (twice, "disclosures.jsonl", "line 2"),
    (stray_disclosure, "disclosures.jsonl", "line"),
    (odd_disclosure, "disclosures.jsonl", "line 1"),
    (spaced_disclosure, "disclosures.jsonl", "line 1"),
    (half_a_pair, "disclosures.jsonl", "line 1"),
    (fraction, "disclosures.jsonl", "line 1"),
    (huge, "disclosures.jsonl", "line 1"),
    (not_utf8, "disclosures.jsonl", "line 1"),
    (hidden_disclosure, "view.csv", "row 2"),
    (csv_row, "view.csv", "row 2"),
    (csv_extra, "view.csv", "row"),
    (leaf, "leaves.txt", "line 1"),
    (more_leaves, "leaves.txt", ""),
    (text, "terms/", ""),
    (no_text, "terms/", ""),
    (extra_text, "terms/", ""),
    (proof, "range-proof.txt", ""),
    (longer_proof, "range-proof.txt", ""),
    (padded_base64, "range-proof.txt", ""),
    (smaller_checkpoint, "manifest.json", "size"),
    (resigned, "checkpoint", ""),
    (other_keys, "keys.vkey", ""),
)


def forged() -> Iterator[Case]:
    for forge, part, where in FORGERIES:
        files = LOG.files(LOG.request(7, 43))
        forge(files)
        yield Case(f"forged: {forge.__name__}", repacked(fitting(files)), part, where)
