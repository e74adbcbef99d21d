from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.lists.sorting import SortedLines


@given(lines=st.lists(st.binary(max_size=4).filter(lambda each: b"\n" not in each)), run=st.integers(1, 5))
def test_sorted_and_unique_whatever_the_runs(tmp_path_factory, lines: list[bytes], run: int) -> None:
    folder: Path = tmp_path_factory.mktemp("runs")
    with SortedLines(folder, run) as ordered:
        for line in lines:
            ordered.add(line + b"\n")
        assert list(ordered) == sorted({line + b"\n" for line in lines})
        assert ordered.taken == len(lines)
    assert list(folder.iterdir()) == []
