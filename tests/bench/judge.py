"""The judge of unlisted names on published lists: training time and memory, names a second, recall on unseen names.

`PUBLISHED_LISTS` names the folder that holds them. Each category is trained on some publishers and measured on the
sites of another that none of the training lists has, by registrable domain. False alarms are counted on the
ten thousand most visited sites, without those that a list of the category at hand has: first where the ranking was no
part of training (one half of it was, the other is counted; then the other way), then as installed with the ranking
imported. Lists are never complete, so beside the strict column, where every ranked site is a false alarm, stands the
examined one, without those that truly are of the category (`ranked_truly.txt`, judged by hand); both are printed.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from gateway.lists.judge_evaluation import Row, at_false_alarms, evaluate, sites
from gateway.lists.judge_examples import gather, read_names, registrable
from policies.compiler import NamedList
from policies.lexical import Judge

PER = 1000
MOST = 10_000
TRAINING = {
    "adult": ("shadowwhisperer/adult",),
    "dating": ("ut1/dating",),
    "gambling": ("ut1/gambling",),
    "gaming": ("ut1/gaming",),
    "file_sharing": ("ut1/file_sharing", "v2fly/file_sharing"),
    "piracy": ("ut1/piracy",),
    "drugs": ("blocklistproject/drugs",),
    "streaming": ("ut1/streaming", "v2fly/streaming"),
    "phishing": ("blocklistproject/phishing",),
    "malware": ("ut1/malware_topn", "shadowwhisperer/malware", "shadowwhisperer/scam"),
    "cryptomining": ("ut1/cryptojacking",),
    "social_media": ("ut1/social_media", "v2fly/social_media", "ut1/chat"),
    "proxy_vpn": ("ut1/vpn", "shadowwhisperer/vpn_proxy"),
    "url_shortener": ("ut1/shortener", "shadowwhisperer/shortener"),
    "dynamic_dns": ("ut1/dynamic_dns",),
    "software_download": ("ut1/download",),
}
UNSEEN = {
    "adult": ("v2fly/adult",),
    "gambling": ("shadowwhisperer/gambling",),
    "dating": ("shadowwhisperer/dating",),
    "gaming": ("v2fly/gaming", "v2fly/gaming_notcn", "nextdns_services/gaming"),
}
WANTED = {"adult": 0.50, "gambling": 0.50, "dating": 0.25, "gaming": 0.25}
ORDINARY = ("benign/misp_majestic_million", "benign/ut1_press", "benign/ut1_bank", "benign/ut1_shopping")
RANKING = "benign/misp_tranco10k"
OTHER_LISTS = ("ut1/mixed_adult",)
TRULY = Path(__file__).with_name("ranked_truly.txt")

Sources = Mapping[str, tuple[str, ...]]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """Rows at one false alarm per thousand: with every ranked site counted, and without those truly of the category."""

    strict: Row
    examined: Row
    truly: tuple[str, ...]
    alarms: tuple[str, ...]


def main() -> None:
    """Train four times and print."""
    folder = os.environ.get("PUBLISHED_LISTS")
    if not folder or not Path(folder, RANKING + ".raw").is_file():
        print("skipped: PUBLISHED_LISTS does not name the folder with the published category lists")
        return
    try:
        import numpy
    except ImportError:
        print("skipped: numpy is not installed (extra judge)")
        return
    print(f"numpy {numpy.__version__}")
    ranking = read(folder, RANKING)
    half = tuple(name for name in ranking if crc32(registrable(name).encode()) & 1)
    rest = tuple(sorted(set(ranking) - set(half)))
    there = (TRAINING, UNSEEN)
    back = (TRAINING | UNSEEN, {key: TRAINING[key] for key in UNSEEN})
    tell(folder, "to the second publisher, this half of the ranking unseen", *there, half, rest, measure_speed=True)
    tell(folder, "to the second publisher, the other half unseen", *there, rest, half)
    tell(folder, "to the second publisher, ranking imported", *there, ranking, ranking)
    tell(folder, "back to the first publisher, this half unseen", *back, half, rest)


def tell(
    folder: str,
    title: str,
    training: Sources,
    unseen: Sources,
    known: Names,
    counted: Names,
    *,
    measure_speed: bool = False,
) -> None:
    """Train on `training` and the ranked names `known`, measure on `unseen` and the ranked names `counted`, print."""
    from gateway.lists.judge_training import fit

    given = {key: read(folder, *files) for key, files in training.items()}
    wanted = {key: read(folder, *files) for key, files in unseen.items()}
    fresh = domains(n for names in wanted.values() for n in names) - domains(n for key in unseen for n in given[key])
    # Sites to be found stand in no input of training, of whatever category; ranked sites only where they are `known`.
    lists = [
        NamedList("bench", key, "0" * 64, tuple(name for name in names if registrable(name) not in fresh))
        for key, names in given.items()
    ]
    left_out = fresh | domains(read(folder, RANKING))
    apart = [name for name in read(folder, *ORDINARY) if registrable(name) not in left_out]
    started, worked = time.perf_counter(), time.process_time()
    examples = gather(lists, [*apart, *(name for name in known if registrable(name) not in fresh)])
    gathered = time.perf_counter()
    judge = Judge(fit(examples))
    took, worked = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{title}: {len(examples.texts):,} names, {took:.0f} s ({gathered - started:.0f} s gathering;", end=" ")
    print(
        f"{worked:.0f} s of processor time), peak {peak:.0f} MB   (wanted: <= 180 s and <= 1000 MB for 500,000)",
        flush=True,
    )
    if measure_speed:
        speed(judge, apart[:20000])
    seen = frozenset(domains(name for each in lists for name in each.entries) | domains(apart))
    truly, other = read_truly(), domains(read(folder, *OTHER_LISTS))
    print(f"at most 1 false alarm per {PER} of well-visited sites:")
    print("category   unseen   counted   wanted   strict   examined   truly   at 0.9: recall, false alarms")
    for category, names in wanted.items():
        yes = sample(sites(names, seen))
        no = sites(
            counted, frozenset(domains(given[category]) | domains(names) | (other if category == "adult" else set()))
        )
        found = measure(judge, category, yes, no, truly[category])
        sure = evaluate(judge, category, yes, [name for name in no if name not in truly[category]], (0.9,))[0]
        print(
            f"{category:<10} {len(yes):>6,}   {len(no):>7,}   {WANTED[category]:>6.0%}   {found.strict.recall:>6.1%}"
            f"   {found.examined.recall:>8.1%}   {len(found.truly):>5}   {sure.recall:.1%}, {sure.false_alarms}"
        )
        print(f"             truly: {' '.join(found.truly)}")
        print(f"             false alarms: {' '.join(found.alarms)}", flush=True)


def domains(names: Iterable[str]) -> set[str]:
    """The registrable domains of names."""
    return {registrable(name) for name in names}


def sample(names: list[str]) -> list[str]:
    """At most about `MOST` of the names, always the same."""
    return [name for name in names if crc32(name.encode()) % max(1, len(names) // MOST) == 0]


def read_truly() -> dict[str, frozenset[str]]:
    """The ranked sites that were judged by hand to be of a category, by category."""
    found: dict[str, set[str]] = {key: set() for key in UNSEEN}
    for line in TRULY.read_text(encoding="ascii").splitlines():
        if not line.startswith("#"):
            category, *names = line.split()
            found[category].update(names)
    return {key: frozenset(names) for key, names in found.items()}


def measure(judge: Judge, category: str, yes: list[str], no: list[str], truly: frozenset[str]) -> Measured:
    """Both rows, and the names above the examined threshold: those truly of the category, and the false alarms."""
    strict = at_false_alarms(judge, category, yes, no, PER)
    examined = at_false_alarms(judge, category, yes, [name for name in no if name not in truly], PER)
    lane = judge.categories.index(category)
    above = [name for name in no if judge.confidences(name)[lane] >= examined.threshold]
    right = tuple(name for name in above if name in truly)
    return Measured(strict, examined, right, tuple(name for name in above if name not in truly))


def speed(judge: Judge, names: list[str]) -> None:
    """Names a second of processor time, best of three."""
    best = 0.0
    for _ in range(3):
        started = time.process_time()
        for name in names:
            judge.confidences(name)
        best = max(best, len(names) / (time.process_time() - started))
    print(f"judged {best:,.0f} names a second of processor time in plain Python   (wanted: >= 15,000)")


def read(folder: str, *files: str) -> tuple[str, ...]:
    """Names of published lists, sorted and unique."""
    found: set[str] = set()
    for file in files:
        with Path(folder, file + ".raw").open(encoding="utf-8", errors="replace") as lines:
            found.update(read_names(line.removeprefix("0.0.0.0 ").removeprefix("127.0.0.1 ") for line in lines))
    return tuple(sorted(found))
