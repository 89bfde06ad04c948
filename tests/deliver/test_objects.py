"""All objects of a result: twice made they are the same bytes, and files name nobody."""

from __future__ import annotations

import stat
from pathlib import Path

from hemocast.deliver import Result, make_objects, write_objects
from hemocast.deliver.objects import encoded


def test_made_twice_is_the_same_to_the_last_bit(result: Result) -> None:
    first, second = make_objects(result), make_objects(result)
    for kind, dataset in first.items():
        assert encoded(dataset) == encoded(second[kind]), kind


def test_files_are_named_by_kind_and_are_their_owners(result: Result, tmp_path: Path) -> None:
    paths = write_objects(make_objects(result), tmp_path / "out")
    assert "capture.dcm" in [path.name for path in paths]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in paths)
