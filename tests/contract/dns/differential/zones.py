"""The world that both resolvers look at: zones with everything that answers are made of, the same for the same seed."""

from __future__ import annotations

import random

HOSTS, CHAINS = 250, 60
_SOA = "SOA ns.root.example. nobody.example. 1 3600 600 86400 60"


def root_zone(seed: int) -> str:
    """The zone `.`, which has all names but those of the delegated zone."""
    dice = random.Random(seed)
    lines = [f". 3600 IN {_SOA}", ". 3600 IN NS ns.root.example.", "ns.root.example. 3600 IN A 127.0.0.1"]

    def add(owner: str, rtype: str, data: str, ttl_s: int | None = None) -> None:
        lines.append(f"{owner} {dice.choice((0, 1, 30, 300, 86400)) if ttl_s is None else ttl_s} IN {rtype} {data}")

    for number in range(HOSTS):
        owner, ttl_s = f"h{number}.d.example.", dice.choice((0, 5, 300, 86400))
        for _ in range(dice.randint(1, 4)):
            add(owner, "A", f"198.51.100.{dice.randint(1, 254)}", ttl_s)
        if dice.random() < 0.6:
            add(owner, "AAAA", f"2001:db8::{dice.randint(1, 9999):x}", ttl_s)
        if dice.random() < 0.3:
            add(owner, "TXT", f'"{"t" * dice.randint(0, 255)}" "x{number}"', 60)
        if dice.random() < 0.3:
            add(owner, "MX", f"10 h{dice.randrange(HOSTS)}.d.example.", 60)
        if dice.random() < 0.3:
            add(owner, "HTTPS", f"1 . alpn=h2,h3 port={dice.randint(1, 9999)} ipv4hint=198.51.100.7", 60)
        if dice.random() < 0.2:
            add(f"_dns._tcp.{owner}", "SRV", f"1 2 853 {owner}", 60)
            add(f"_dns.{owner}", "SVCB", f"1 {owner} alpn=dot", 60)
        if dice.random() < 0.2:
            add(owner, "TYPE65400", r"\# 4 c00c0001", 60)
            add(owner, "CAA", '0 issue "ca.example"', 60)
    for number in range(CHAINS):
        length = dice.randint(1, 8)
        for step in range(length):
            target = f"c{number}s{step + 1}.chain.example." if step < length - 1 else _end_of_chain(dice)
            add(f"c{number}s{step}.chain.example.", "CNAME", target, 60)
    for number in range(20):
        add("big.example.", "TXT", f'"{"b" * 240}{number}"', 300)
        add("long.example.", "TXT", " ".join([f'"{"l" * 255}"'] * 15 + [f'"{number}"']), 300)
    for number in range(1, 90):
        add("many.example.", "A", f"203.0.113.{number}", 300)
    add("*.wild.example.", "A", "198.51.100.77", 60)
    add("*.wild.example.", "TXT", '"wild"', 60)
    add("there.wild.example.", "AAAA", "2001:db8::77", 60)
    add("*.alias.example.", "CNAME", "h1.d.example.", 60)
    add("old.example.", "DNAME", "d.example.", 300)
    add("older.example.", "DNAME", "old.example.", 300)
    add("a.b.c.empty.example.", "A", "198.51.100.1", 60)
    add("loop1.example.", "CNAME", "loop2.example.", 60)
    add("loop2.example.", "CNAME", "loop1.example.", 60)
    add("gone.example.", "CNAME", "nowhere.example.", 60)
    add("UPPER.example.", "CNAME", "H2.D.EXAMPLE.", 60)
    add(r"a\.b.odd.example.", "A", "198.51.100.2", 60)
    add(r"\000.odd.example.", "A", "198.51.100.3", 60)
    add("_under_score.odd.example.", "A", "198.51.100.4", 60)
    add("xn--blbr-roah.example.", "A", "198.51.100.5", 60)
    add("child.example.", "NS", "ns.child.example.", 300)
    add("ns.child.example.", "A", "127.0.0.1", 300)
    # where policy speaks
    for number in range(10):
        add(f"g{number}.game.example.", "A", "198.51.100.66", 60)
        add(f"g{number}.game.example.", "HTTPS", "1 . alpn=h2", 60)
        add(f"to{number}.example.", "CNAME", f"g{number}.game.example.", 60)
        add(f"svc{number}.example.", "HTTPS", f"{number % 2} g{number}.game.example.", 60)
        add(f"svc{number}.example.", "A", "198.51.100.8", 60)
        add(f"in{number}.example.", "A", f"192.168.1.{number}", 60)
        add(f"in{number}.example.", "HTTPS", f"1 . ipv4hint=10.0.0.{number}", 60)
    add("moved.example.", "DNAME", "game.example.", 60)
    return "\n".join(lines) + "\n"


def _end_of_chain(dice: random.Random) -> str:
    return dice.choice(
        (f"h{dice.randrange(HOSTS)}.d.example.", "nowhere.example.", "x.wild.example.", "w1.child.example.",
         f"h{dice.randrange(HOSTS)}.old.example.", "g1.game.example.", "many.example.", "c.empty.example.")
    )  # fmt: skip


def child_zone() -> str:
    """The zone that the other one delegates."""
    return (
        f"child.example. 3600 IN {_SOA}\nchild.example. 300 IN NS ns.child.example.\n"
        "ns.child.example. 300 IN A 127.0.0.1\n"
        "w1.child.example. 60 IN A 198.51.100.40\nw2.child.example. 60 IN CNAME h3.d.example.\n"
        'w3.child.example. 60 IN TXT "child"\n'
    )


def names(seed: int) -> list[str]:
    """What is asked for: what exists, what nearly exists, and what policy speaks of."""
    dice = random.Random(seed)
    usual = [f"h{number}.d.example" for number in range(HOSTS)]
    return [
        *usual,
        *(f"c{number}s{step}.chain.example" for number in range(CHAINS) for step in (0, 1, 2)),
        *(f"h{dice.randrange(HOSTS + 20)}.{old}.example" for old in ("old", "older") for _ in range(25)),
        *(f"_dns._tcp.{dice.choice(usual)}" for _ in range(40)),
        *(f"_dns.{dice.choice(usual)}" for _ in range(40)),
        *(f"no{number}.d.example" for number in range(60)),
        *(f"x{number}.wild.example" for number in range(20)),
        *(f"x{number}.alias.example" for number in range(20)),
        *(f"{kind}{number}.example" for kind in ("to", "svc", "in") for number in range(10)),
        *(f"g{number}.{parent}.example" for parent in ("game", "moved") for number in range(12)),
        "big.example", "long.example", "many.example", "there.wild.example", "x.there.wild.example", "old.example",
        "c.empty.example", "b.c.empty.example", "empty.example", "loop1.example", "gone.example", "upper.example",
        r"a\.b.odd.example", r"a.b.odd.example", r"\000.odd.example", "_under_score.odd.example", "notgame.example",
        "xn--blbr-roah.example", "child.example", "w1.child.example", "w2.child.example", "w3.child.example",
        "no.child.example", "ns.child.example", "example", "nowhere", ".", "*.wild.example", "moved.example",
    ]  # fmt: skip
