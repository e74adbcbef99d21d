"""Progress of long work on the terminal: bars on standard error when somebody watches, silence otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.lists.intake import no_progress
from gateway.lists.progress import Progress


@contextmanager
def bars(*, wanted: bool = True) -> Iterator[Callable[[str], Progress]]:
    """A function that gives the progress callback of one named piece of work; each has a bar of its own."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _title: no_progress
        return
    from rich.console import Console  # noqa: PLC0415 - on a terminal only
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True)) as shown:

        def bar(title: str) -> Progress:
            task = shown.add_task(title, total=None)

            def move(stage: str, done: int, total: int | None) -> None:
                shown.update(task, description=f"{title}: {stage}", completed=done, total=total)

            return move

        yield bar
