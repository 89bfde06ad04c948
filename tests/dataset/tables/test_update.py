"""Tables brought up to date: what users wrote stays."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dataset.layout import Dataset
from hemocast.dataset.tables.update import read_kept, update_table
from hemocast.errors import TableError
from hemocast.tables import MISSING

COLUMNS = ("participant_id", "age")


def _update(dataset: Dataset, *rows: dict[str, object], anew: tuple[str, ...] = ()) -> list[str]:
    update_table(dataset, "people", rows, COLUMNS, key="participant_id", anew=anew)
    return (dataset.root / "people.tsv").read_text().splitlines()


def test_a_new_table_holds_what_is_made(tmp_path: Path) -> None:
    lines = _update(Dataset(tmp_path), {"participant_id": "a", "age": 70}, {"participant_id": "b"})
    assert lines == ["participant_id\tage", "a\t70", "b\tn/a"]


def test_columns_rows_and_cells_of_the_users_stay(tmp_path: Path) -> None:
    (tmp_path / "people.tsv").write_text("site\tparticipant_id\tage\nX\tz\t\nY\ta\t71\nZ\tb\tn/a\n")
    lines = _update(
        Dataset(tmp_path),
        {"participant_id": "a", "age": 70},
        {"participant_id": "b", "age": 60},
        {"participant_id": "c", "age": 50},
    )
    assert lines == [
        "site\tparticipant_id\tage", "Y\ta\t71", "Z\tb\t60", "n/a\tc\t50", "X\tz\t",
    ]  # fmt: skip


def test_what_is_said_anew_replaces_a_cell_where_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "people.tsv").write_text("participant_id\tage\na\t71\nb\t72\n")
    made = ({"participant_id": "a", "age": 70}, {"participant_id": "b", "age": None})
    assert _update(Dataset(tmp_path), *made, anew=("age",))[1:] == ["a\t70", "b\t72"]


@pytest.mark.parametrize("text", ["age\n70\n", "participant_id\tage\na\t1\na\t2\n"])
def test_a_table_whose_rows_cannot_be_told_apart_is_refused_as_it_is(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "people.tsv").write_text(text)
    with pytest.raises(TableError, match="participant_id"):
        _update(Dataset(tmp_path), {"participant_id": "a", "age": 70})
    assert (tmp_path / "people.tsv").read_text() == text


words = st.text("abcXYZ0123456789 .-", min_size=1, max_size=6).map(str.strip).filter(bool)


@given(
    cells=st.dictionaries(words, st.lists(words, min_size=2, max_size=2), max_size=6),
    people=st.lists(words, unique=True, max_size=6),
)
def test_no_cell_of_the_users_is_ever_lost(cells: dict[str, list[str]], people: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        dataset = Dataset(Path(name))
        rows = "".join(f"{person}\t{age}\t{mine}\n" for person, (age, mine) in cells.items())
        (dataset.root / "people.tsv").write_text("participant_id\tage\tmine\n" + rows)
        for _ in range(2):
            _update(dataset, *({"participant_id": person, "age": 1} for person in people))
        kept, header = read_kept(dataset, "people", "participant_id")
        assert header == ["participant_id", "age", "mine"]
        assert set(kept) == set(cells) | set(people)
        for person, (age, mine) in cells.items():
            assert kept[person] == {"participant_id": person, "age": age, "mine": mine}
        assert all(kept[person]["mine"] == MISSING for person in set(people) - set(cells))
