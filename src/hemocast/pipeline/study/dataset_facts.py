"""What a dataset's own tables say of it, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hemocast.dataset import Dataset
from hemocast.dataset.description import read_description
from hemocast.errors import NothingThere
from hemocast.tables import read_table

_UNKNOWN = {"", "n/a"}


@dataclass(frozen=True)
class DatasetFacts:
    """What a dataset's own tables say.

    Parameters
    ----------
    name : str
        In its description.
    simulated : bool
        Any scan is.
    made_by : tuple of str
        Program and version.
    patients, scans, positive, labelled : int
        How many; positive: with HT.
    ages : tuple of float
        Of those who have one.
    counts : mapping
        Thing (``sex``, ``site``, ``manufacturer``, ``slice_mm``, ``treatment``, ``ht_grade``) ->
        its values, each with how often.
    missing : mapping
        Clinical value -> for how many patients it is missing.
    refused, left_out : int
        Studies refused and series left out, on taking in.
    reviewers : int
        Who labelled, as ``reviews.tsv`` names them.
    """

    name: str
    simulated: bool
    made_by: tuple[str, ...]
    patients: int
    scans: int
    positive: int
    labelled: int
    ages: tuple[float, ...]
    counts: Mapping[str, Mapping[str, int]]
    missing: Mapping[str, int]
    refused: int
    left_out: int
    reviewers: int


def read_dataset(root: Path) -> DatasetFacts:
    """Read what a dataset's description and tables say of it.

    Raises
    ------
    NothingThere, DatasetError
        There is no dataset.
    TableError
        A table cannot be read.
    """
    dataset, says = Dataset(root), read_description(root)
    if not says:
        raise NothingThere(
            "The folder named as the dataset holds no dataset_description.json",
            "a dataset folder made by 'hemocast ingest' or 'simulate'",
            "Check the path",
        )
    people, scans = _rows(dataset, "participants"), _rows(dataset, "scans")
    clinical, labels = _rows(dataset, "clinical"), _rows(dataset, "labels")
    reviews = _rows(dataset, "reviews")
    known = [row["label"] for row in labels if row.get("label") in ("0", "1")]
    counts = {
        "sex": _count(people, "sex"), "site": _count(people, "site"),
        "manufacturer": _count(scans, "manufacturer"), "slice_mm": _count(scans, "slice_mm"),
        "treatment": _count(clinical, "treatment"), "ht_grade": _count(labels, "ht_grade"),
    }  # fmt: skip
    names = [name for name in (clinical[0] if clinical else ()) if name != "participant_id"]
    return DatasetFacts(
        name=str(says.get("Name", "")),
        simulated=bool(says.get("Simulated")),
        made_by=_made_by(says),
        patients=len({row["participant_id"] for row in (*people, *labels)}),
        scans=len(scans),
        positive=known.count("1"),
        labelled=len(known),
        ages=tuple(_numbers(people, "age")),
        counts={name: values for name, values in counts.items() if values},
        missing={n: sum(row[n] in _UNKNOWN for row in clinical) for n in names},
        refused=_lines(root / "quality" / "refused.tsv"),
        left_out=_lines(root / "quality" / "left_out.tsv"),
        reviewers=len(_count(reviews, "reviewer_id")),
    )


def _rows(dataset: Dataset, name: str) -> list[dict[str, str]]:
    try:
        table = dataset.table(name)
    except NothingThere:
        return []
    return [
        {str(column): str(cell) for column, cell in row.items()} for row in table.to_dict("records")
    ]


def _count(rows: Sequence[Mapping[str, str]], column: str) -> dict[str, int]:
    cells = (row.get(column, "") for row in rows)
    return dict(sorted(Counter(cell for cell in cells if cell not in _UNKNOWN).items()))


def _numbers(rows: Sequence[Mapping[str, str]], column: str) -> list[float]:
    found = []
    for row in rows:
        with suppress(ValueError):
            found.append(float(row.get(column, "")))
    return found


def _made_by(says: Mapping[str, Any]) -> tuple[str, ...]:
    made = says.get("GeneratedBy")
    return tuple(
        f"{one.get('Name')} {one.get('Version', '')}".strip()
        for one in (made if isinstance(made, list) else ())
        if isinstance(one, dict)
    )


def _lines(path: Path) -> int:
    with suppress(NothingThere):
        return len(read_table(path, path.name, may_be_empty=True))
    return 0
