"""`gjestenett policy judge`: train the judge of unlisted names, measure it on unseen lists, ask it about a name."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from gateway.commands.policy_text import learnt
from gateway.commands.session import Group, Invocation, json_option, pass_invocation, print_rows
from gateway.errors import GatewayError, UsageError
from gateway.lists.judge import INSTALL, model_path
from gateway.lists.judge_evaluation import THRESHOLDS, Row, at_false_alarms, evaluate, sites
from gateway.lists.judge_examples import read_names, registrable
from gateway.lists.reader import current_path, read_snapshot
from policies.categories import CATEGORIES
from policies.lexical import Judge
from policies.names import PolicyError, from_person

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_model_option = click.option("--model", type=_FILE, help="A model file; the one in force by default.")
_PER = 1000


@click.group(cls=Group)
def judge() -> None:
    """Train, measure and ask the judge of names that no list knows."""


@judge.command()
@click.option("--positive", nargs=2, multiple=True, metavar="CATEGORY FILE", help="Names of a category; repeatable.")
@click.option("--negative", type=_FILE, multiple=True, help="Well-visited, harmless names; repeatable.")
@click.option("--seed", type=int, default=0, help="The same inputs and seed give the same model.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to; the installation by default.")
@pass_invocation
def train(
    invocation: Invocation,
    positive: tuple[tuple[str, str], ...],
    negative: tuple[Path, ...],
    seed: int,
    out: Path | None,
) -> None:
    """Train on files of names (the jobs service trains on the installation's own lists by itself)."""
    try:
        from gateway.lists.judge_training import train as train_model  # noqa: PLC0415 - numpy is an extra
    except ImportError as error:
        raise GatewayError(f"training needs numpy; install it with: {INSTALL}") from error
    if not positive:
        raise UsageError("give at least one --positive CATEGORY FILE")
    by_category: dict[str, list[str]] = {}
    for category, file in positive:
        if category not in CATEGORIES:
            raise UsageError(f"there is no category {category!r}: choose among {', '.join(CATEGORIES)}")
        by_category.setdefault(category, []).extend(_names(Path(file)))
    lists = [_Named(category, tuple(names)) for category, names in by_category.items()]
    ranking = [name for file in negative for name in _names(file)]
    target = out or model_path(invocation.settings.state)
    with click.progressbar(length=100, label="training", file=sys.stderr) as bar:
        model = train_model(lists, ranking, seed=seed, progress=lambda done: bar.update(int(done * 100) - bar.pos))
    opened = Judge(model)
    if not opened.categories:
        raise GatewayError("no category has enough sites to be judged: give longer lists")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(model)
    except OSError as error:
        raise GatewayError(f"the model cannot be written to {target}: {error.strerror or error}") from error
    click.echo(f"{target}: {len(model) / 1e6:.1f} MB, judges {', '.join(opened.categories)}; sha256 {opened.sha256}")


@judge.command("evaluate")
@click.option("--positive", type=_FILE, required=True, help="Names that are of the category.")
@click.option("--negative", type=_FILE, required=True, help="Names that are not.")
@click.option("--category", help="The category; every judged one by default.")
@click.option("--listed/--unlisted", default=False, help="Count names that the lists in force have, too.")
@_model_option
@json_option
@pass_invocation
def evaluate_(
    invocation: Invocation,
    positive: Path,
    negative: Path,
    category: str | None,
    listed: bool,
    model: Path | None,
    as_json: bool,
) -> None:
    """Print precision and recall at several thresholds, one name a registrable domain."""
    opened = _open(invocation, model)
    if category is not None and category not in opened.categories:
        raise UsageError(f"the judge does not know {category!r}: it judges {', '.join(opened.categories)}")
    yes, no = sites(_names(positive)), sites(_names(negative))
    if not listed and model is None:
        snapshot = read_snapshot(current_path(invocation.settings.state))
        yes = [name for name in yes if not snapshot.lookup(name) and not snapshot.lookup(registrable(name))]
    both = {registrable(name) for name in yes}
    no = [name for name in no if registrable(name) not in both]
    if not yes or not no:
        raise UsageError("nothing to measure on: every name is listed already, or a file holds no names")
    rows: list[dict[str, Any]] = []
    for each in (category,) if category else opened.categories:
        rows += [_shown(row) for row in evaluate(opened, each, yes, no, THRESHOLDS)]
        rows.append(_shown(at_false_alarms(opened, each, yes, no, _PER)))
    print_rows(rows, as_json=as_json, empty="nothing is judged")


@judge.command()
@click.argument("name")
@_model_option
@json_option
@pass_invocation
def explain(invocation: Invocation, name: str, model: Path | None, as_json: bool) -> None:
    """Say what NAME looks like, how surely, and which pieces of it decided."""
    opened = _open(invocation, model)
    try:
        plain = from_person(name)
    except PolicyError as error:
        raise UsageError(str(error)) from error
    looks: list[dict[str, Any]] = [
        {
            "category": category,
            "confidence": round(confidence, 4),
            "pieces": [
                {"text": each.text, "weight": round(each.weight, 3)} for each in opened.deciding(plain, category)
            ],
        }
        for category, confidence in sorted(
            zip(opened.categories, opened.confidences(plain), strict=True), key=lambda each: -each[1]
        )
    ]
    if as_json:
        click.echo(
            json.dumps({"name": plain, "model": opened.sha256, "looks_like": looks}, ensure_ascii=False, indent=2)
        )
        return
    click.echo(f"{plain}: by its name alone, whatever the lists say")
    for each in looks:
        pieces = " ".join(piece["text"] for piece in each["pieces"]) if each["confidence"] >= 0.01 else ""
        click.echo(f"  {each['category']:<14} {each['confidence']:>7.1%}  {pieces}".rstrip())
    click.echo(f"  {learnt(opened.categories)}")


class _Named:
    """Names of a category, as training takes them."""

    def __init__(self, category: str, entries: tuple[str, ...]) -> None:
        self.category = category
        self.entries = entries


def _names(file: Path) -> list[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return read_names(lines)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from error


def _open(invocation: Invocation, model: Path | None) -> Judge:
    try:
        if model is not None:
            return Judge(model.read_bytes())
        section = read_snapshot(current_path(invocation.settings.state)).section("judge")
        if section is not None:
            return Judge(section)
        return Judge(model_path(invocation.settings.state).read_bytes())
    except OSError as error:
        raise GatewayError("there is no judge yet: jobs trains it when lists are in use, or give --model") from error
    except PolicyError as error:
        raise GatewayError(str(error)) from error


def _shown(row: Row) -> dict[str, Any]:
    return {
        "category": row.category,
        "threshold": round(row.threshold, 4),
        "precision": "-" if row.precision is None else round(row.precision, 4),
        "recall": round(row.recall, 4),
        "found": f"{row.found}/{row.positives}",
        "false_alarms": f"{row.false_alarms}/{row.negatives}",
    }
