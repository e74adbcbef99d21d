"""What is left on the gateway of the names that a guest looked up: by default nothing, in no file, log line or table.

A guest asks for names by every way there is, permitted and refused, before and after accepting, and has them in
addresses too. Then the product is stopped and everything that it has written is searched. What must be there is
searched for by the same means, so that the search is known to find.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.lab import topology as net
from tests.lab.product import CONSOLE_PORT, HOSTNAME, PORTAL, Product
from tests.lab.world import World, missing
from tests.postgres import Cluster, postgres

__all__ = ["postgres"]

pytestmark = pytest.mark.timeout(900)
GUEST_NAME = "Kariqzv Nordmannqzv"
MAC = net.GUESTS["guest1"]
PARENTS = {"permitted": net.WILD, "nowhere": "nowhere.example", "refused": "steampowered.com", "dating": "tinder.com"}


@dataclass
class Written:
    """Everything the product has left: files by path, rows by table, and what its services said."""

    files: dict[str, bytes]
    rows: dict[str, list[str]]
    log: str
    answers: Mapping[str, int] = field(default_factory=dict)

    def places(self, text: str) -> list[str]:
        """Where `text` stands: as it is, or as somebody could have disguised it."""
        disguises = _disguises(text)
        hits = [path for path, octets in self.files.items() if any(each in octets for each in disguises)]
        for table, rows in self.rows.items():
            together = "\n".join(rows).lower().encode()
            hits += [f"table {table}"] if any(each in together for each in disguises) else []
        return hits


class Asking:
    """One guest's look-ups, each a distinct name; those that got no answer at all fail the test at once."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.words: list[str] = []
        self.answered = 0

    def word(self, kind: str) -> str:
        """A word that stands nowhere in the world but in this look-up."""
        word = f"qzv{hashlib.sha256(f'{kind} {len(self.words)}'.encode()).hexdigest()[:10]}"
        self.words.append(word)
        return word

    def dig(self, kind: str, *options: str, server: str = net.GUEST4, type_: str = "A", guest: str = "guest1") -> str:
        """Look a new name up; dig's whole answer, in which a status must stand."""
        name = f"{self.word(kind)}.{PARENTS[kind]}"
        asked = ("dig", "+tries=2", "+time=3", *options, f"@{server}", name, type_)
        answer = self.product.world.run(guest, *asked, check=False).stdout
        assert "status: " in answer, (asked, answer)
        self.answered += 1
        return answer

    def address(self, start: str) -> str:
        """An address with new words in its path, its query and as a parameter's name."""
        return f"{start}{self.word('path')}?{self.word('key')}={self.word('value')}&lang=nb"


@pytest.fixture(params=["sqlite", "postgresql"])
def product(request: pytest.FixtureRequest) -> Iterator[Product]:
    """A lab of its own with the product, on each database."""
    why = missing()
    if why is not None:
        pytest.skip(why)
    url = ""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        cluster.home.chmod(0o711)  # services without capabilities reach the socket, not the data
        url = cluster.url(cluster.create())
    with World() as world, Product(world, url) as running:
        world.start_dhcp()
        for guest in net.GUESTS:
            world.join(guest)
        yield running


def test_no_name_that_a_guest_looked_up_is_left_anywhere(product: Product, request: pytest.FixtureRequest) -> None:
    asking = Asking(product)
    _before_accepting(asking)
    answer = product.accept("guest1", GUEST_NAME)
    assert (answer.status, answer.location) == (303, f"{PORTAL}/status"), answer
    product.until_online("guest1")
    _online(asking)
    _asking_why(asking)
    _with_top_names_kept_and_two_devices(asking)
    _while_the_upstream_is_down(asking)
    receipt = json.loads(product.cli("grants", "list", "--json").stdout)[0]["receipt"]
    product.stop()

    on_postgres = request.node.callspec.params["product"] == "postgresql"
    written = _everything(product, request.getfixturevalue("postgres") if on_postgres else None)

    for certain in (GUEST_NAME.lower(), MAC, receipt.lower()):  # the search finds what is there
        places = written.places(certain)
        assert any(place.startswith("table ") for place in places), certain
        assert any(not place.startswith("table ") for place in places), certain
    assert "generation" in written.log
    assert sum(written.answers.values()) >= asking.answered - 5  # what is dropped before accepting is not counted
    assert written.answers["refused"] >= 8

    assert written.rows["dns_top_name"] == []  # where names are kept: two devices are not five
    assert len(asking.words) > 40
    assert {word: places for word in asking.words if (places := written.places(word))} == {}
    assert "GET /" not in written.log  # no access log, ours or uvicorn's
    assert "POST /" not in written.log
    assert "lang=nb" not in written.log


def _before_accepting(asking: Asking) -> None:
    for kind in ("permitted", "refused"):
        for options, server in (((), net.GUEST4), ((), net.GUEST6), (("+tcp",), net.GUEST4), ((), net.RESOLVER4)):
            asking.dig(kind, *options, server=server)
    product, word = asking.product, asking.word("host")
    page = product.curl("guest1", asking.address(f"http://{word}.{net.WILD}/"))
    assert (page.status, page.location) == (302, f"{PORTAL}/")
    for path in ("/", "/status/", "/receipt/", "/"):
        product.curl("guest1", asking.address(f"{PORTAL}{path}"))
    assert product.curl("guest1", f"{PORTAL}/receipt?code={asking.word('code')}").status == 404
    refused = product.curl(
        "guest1", f"{PORTAL}/accept?{asking.word('query')}=1", "--data", f"token={asking.word('form')}"
    )
    assert refused.status == 422


def _online(asking: Asking) -> None:
    product = asking.product
    for kind in PARENTS:
        for options in ((), ("+tcp",), ("+tls", f"+tls-ca={product.ca}", f"+tls-hostname={HOSTNAME}")):
            for server in (net.GUEST4, net.GUEST6):
                asking.dig(kind, *options, server=server)
        for type_ in ("AAAA", "HTTPS", "TXT"):
            asking.dig(kind, type_=type_)
    assert net.SITE4 in asking.dig("permitted")
    assert "EDE: 15" in asking.dig("refused")
    word = asking.word("visited")
    product.curl("guest1", asking.address(f"http://{word}.{net.WILD}/"))
    product.curl("guest1", asking.address(f"{PORTAL}/status/"))
    product.curl("mgmt", asking.address(f"https://{net.MGMT_GATEWAY4}:{CONSOLE_PORT}/"), "--insecure")


def _asking_why(asking: Asking) -> None:
    """Names looked up on the page about closed sites, and those noted for two minutes on the guest's own request."""
    product = asking.product
    page = product.curl("guest1", f"{PORTAL}/hvorfor?name={asking.word('why')}.{PARENTS['refused']}")
    assert "Nettspill" in page.body
    assert product.curl("guest1", f"{PORTAL}/why?name={asking.word('bad')}%20x").status == 422
    token = re.search(r'name="token" value="([^"]+)"', product.curl("guest1", f"{PORTAL}/why/find").body)
    assert token is not None
    assert product.curl("guest1", f"{PORTAL}/why/find", "--data-urlencode", f"token={token[1]}").status == 303
    for options in ((), ("+tcp",)):
        asking.dig("refused", *options)
        assert asking.words[-1] in product.curl("guest1", f"{PORTAL}/why/find").body


def _with_top_names_kept_and_two_devices(asking: Asking) -> None:
    """Even where IT has refused names kept, what fewer than five devices ask for is nobody's business."""
    product = asking.product
    generation = product.log().count("in force")
    product.cli("policy", "top-names", "on")
    product.cli("policy", "publish", "--note", "test")
    product.world.until(lambda: product.log().count("in force") > generation, "the policy in force", 30)
    product.accept("guest2", "Ola Nordmann")
    product.until_online("guest2")
    for _ in range(3):
        asking.dig("refused")
        asking.dig("dating", guest="guest2")


def _while_the_upstream_is_down(asking: Asking) -> None:
    asking.product.world.run("internet", "sh", "-c", 'kill "$(cat /run/dnsmasq-internet.pid)"')
    for options in ((), ("+tcp",)):
        assert "SERVFAIL" in asking.dig("permitted", "+time=8", *options)


def _everything(product: Product, cluster: Cluster | None) -> Written:
    folders = [product.world.directory] if cluster is None else [product.world.directory, cluster.home]
    if cluster is not None:
        cluster.execute("CHECKPOINT")
    files = {
        str(path): path.read_bytes().lower()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert any(path.endswith("gateway.log") for path in files)
    rows = _sqlite_rows(product.state / "gjestenett.sqlite3") if cluster is None else _postgres_rows(product)
    assert len(rows) > 20
    answers: dict[str, int] = {}
    for row in map(json.loads, rows["dns_answers"]):
        answers[row["outcome"]] = answers.get(row["outcome"], 0) + row["answers"]
    return Written(files, rows, product.log(), answers)


def _sqlite_rows(path: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        tables = [row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        # An index that only answers; the tables that it lies in are read.
        readable = [name for name in tables if name != "visitor_trigram"]
        return {table: [_row(dict(row)) for row in database.execute(f'SELECT * FROM "{table}"')] for table in readable}


def _postgres_rows(product: Product) -> dict[str, list[str]]:
    with psycopg.connect(product.database, row_factory=psycopg.rows.dict_row) as connection:
        tables = [
            row["table_name"]
            for row in connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            )
        ]
        every = sql.SQL("SELECT * FROM {}")
        return {
            table: [_row(row) for row in connection.execute(every.format(sql.Identifier(table)))] for table in tables
        }


def _row(row: dict[str, object]) -> str:
    plain = {key: value.decode("latin-1") if isinstance(value, bytes) else value for key, value in row.items()}
    return json.dumps(plain, default=str, ensure_ascii=False)


def _disguises(text: str) -> list[bytes]:
    plain = text.encode()
    digest = hashlib.sha256(plain)
    shifted = [base64.b64encode(b"x" * lead + plain)[lead + 2 : -4].lower() for lead in range(3)]
    found = [plain, plain.hex().encode(), text.encode("utf-16-le"), urllib.parse.quote(text).lower().encode(),
             digest.digest(), digest.hexdigest().encode(), *(each for each in shifted if len(each) > 8)]  # fmt: skip
    return list(dict.fromkeys(found))
