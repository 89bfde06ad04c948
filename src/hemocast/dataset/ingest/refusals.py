"""What did not enter a dataset, and why: studies refused, series left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict

from hemocast.dataset.layout import Dataset
from hemocast.dataset.sidecar import Sidecar
from hemocast.left_out import LeftOut, RefusedStudy
from hemocast.tables import MISSING

REFUSED_COLUMNS = ["participant_id", "code", "message", "study"]
LEFT_OUT_COLUMNS = [
    "participant_id", "session", "series", "images", "code", "reason", "study",
]  # fmt: skip


def write_refusals(
    dataset: Dataset,
    sidecars: Iterable[Sidecar],
    refused: Sequence[RefusedStudy],
    stray: Sequence[LeftOut],
    seen: Mapping[str, Sequence[LeftOut]],
) -> None:
    """Write ``quality/refused.tsv`` and ``quality/left_out.tsv``.

    Parameters
    ----------
    dataset : Dataset
        Where.
    sidecars : iterable of Sidecar
        Of all scans of the dataset.
    refused : sequence of RefusedStudy
        Of this run.
    stray : sequence of LeftOut
        Files of this run that belong to no study.
    seen : mapping of str to sequence of LeftOut
        All studies that this run met, by pseudonym, and which of their series were left out.
        What earlier runs said of other studies stays.
    """
    rows: list[dict[str, object]] = [asdict(item) for item in refused]
    rows += _of_others(dataset, "quality/refused", seen)
    lines: list[dict[str, object]] = [
        {"participant_id": s.participant_id, "session": s.session, **_row(item)}
        for s in sidecars
        for item in s.left_out
    ]
    lines += [
        {"participant_id": r.participant_id, "study": r.study, **_row(item)}
        for r in refused
        for item in seen.get(r.study, ())
    ]
    lines += [{"participant_id": MISSING, **_row(item)} for item in stray]
    lines += _of_others(dataset, "quality/left_out", seen)
    dataset.write_table("quality/refused", _ordered(rows, REFUSED_COLUMNS), REFUSED_COLUMNS)
    dataset.write_table("quality/left_out", _ordered(lines, LEFT_OUT_COLUMNS), LEFT_OUT_COLUMNS)


def _row(item: LeftOut) -> dict[str, object]:
    return {
        "series": item.series,
        "images": item.images,
        "code": item.code.value,
        "reason": item.reason,
    }


def _ordered(rows: list[dict[str, object]], columns: list[str]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: [str(row.get(name, MISSING)) for name in columns])


def _of_others(dataset: Dataset, name: str, seen: Collection[str]) -> list[dict[str, object]]:
    """Rows of an earlier run about studies that this run did not meet."""
    if not dataset.path(name).is_file():
        return []
    table = dataset.table(name)
    if "study" not in table.columns:
        return []
    others = table[(table["study"] != MISSING) & ~table["study"].isin(list(seen))]
    return [
        {str(column): value for column, value in row.items()}
        for row in others.to_dict(orient="records")
    ]


def count_reasons(left_out: Iterable[LeftOut]) -> Counter[str]:
    """Count series, and files of none, by the words for why they were left out."""
    counts: Counter[str] = Counter()
    for item in left_out:
        counts[item.code.words] += item.images if item.code.stray else 1
    return counts
