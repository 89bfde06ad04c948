"""Splits on the disk: ours with their receipts, and those that somebody brings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hemocast import files
from hemocast.dataset.scan_id import participant_of
from hemocast.dataset.split.by_patient import Split, part_hash
from hemocast.errors import NothingThere, OutputExists, TableError, UsageError
from hemocast.tables import read_table


def save_split(
    split: Split, labels: Mapping[str, int], scans: Iterable[str], folder: Path
) -> dict[str, Any]:
    """Write ``NAME.tsv`` and ``NAME.receipt.json`` into `folder`, never over another split.

    Where the same split is there already its table stays as it is, and of its receipt the seed and
    whatever else somebody wrote in it.

    Parameters
    ----------
    split : Split
        All its parts.
    labels : mapping
        participant_id -> 1 or 0.
    scans : iterable of str
        The participant_id of every scan.
    folder : Path
        A dataset's ``splits``.

    Returns
    -------
    dict
        The receipt.

    Raises
    ------
    OutputExists
        Another split has that name.
    """
    refuse_other(split, folder)
    path = folder / f"{split.name}.tsv"
    receipt = split.receipt(labels, scans)
    if path.exists():
        known = read_receipt(path)
        receipt = known | receipt | {"seed": known.get("seed", split.seed)}
    else:
        rows = [
            {"participant_id": patient, "part": part}
            for part, patients in split.parts.items()
            for patient in patients
        ]
        files.write_table(path, rows, ["participant_id", "part"])
    if receipt != read_receipt(path):
        files.write_json(_receipt_path(path), receipt)
    return receipt


def refuse_other(split: Split, folder: Path) -> None:
    """Refuse a split whose name another one has in `folder`.

    Raises
    ------
    OutputExists
        Other patients or parts are there under its name.
    """
    path = folder / f"{split.name}.tsv"
    if path.exists() and read_parts(path) != {part: p for part, p in split.parts.items() if p}:
        raise OutputExists(
            f"Another split of the name {split.name!r} is there, with other patients or parts",
            "the same patients in the same parts, or a new name",
            f"Choose another name, or give that split itself: splits/{path.name}",
        )


def save_splits(
    splits: Sequence[Split], labels: Mapping[str, int], scans: Iterable[str], folder: Path
) -> tuple[dict[str, Any], ...]:
    """Write every split with its receipt into `folder`, as `save_split` does; return them."""
    rows = list(scans)
    return tuple(save_split(split, labels, rows, folder) for split in splits)


def find_split(dataset: Path, split: str | None) -> Path:
    """Give the table of a split: a file of one's own, or else a name in the dataset's splits.

    Parameters
    ----------
    dataset : Path
        The dataset folder.
    split : str or None
        None: the only split that the dataset has.

    Raises
    ------
    NothingThere
        There is no such split; those that exist are named.
    UsageError
        None is named where the dataset has several.
    """
    if split is not None and Path(split).is_file():
        return Path(split)
    names = sorted(path.stem for path in (dataset / "splits").glob("*.tsv"))
    if split in names or (split is None and len(names) == 1):
        return dataset / "splits" / f"{split or names[0]}.tsv"
    known = f"the dataset has {', '.join(names)}" if names else "the dataset has none"
    if split is None and names:
        raise UsageError(
            f"No split is named, and {known}", "the name of one of them", "Name it with --split"
        )
    raise NothingThere(
        f"There is no {'split' if split is None else 'such split'}; {known}",
        "the name of a split in the dataset's folder splits, or a table of one's own",
        "Name another with --split" if names else "Make one with 'hemocast split'",
    )


def read_parts(path: Path) -> dict[str, tuple[str, ...]]:
    """Read who is in which part, from a split of ours or of others, without judging it.

    Parameters
    ----------
    path : Path
        TSV or CSV with a column ``part`` and ``participant_id`` or ``scan_id`` (a split by scan).

    Returns
    -------
    dict
        Part -> participant ids, sorted, each once.

    Raises
    ------
    NothingThere
        There is no such file.
    TableError
        It has no such columns, or empty cells.
    """
    table = read_table(path, "The table of the split")
    expected = "columns part and participant_id (or scan_id), no empty cells"
    if "participant_id" not in table and "scan_id" in table:
        table["participant_id"] = table["scan_id"].map(participant_of)
    if "participant_id" not in table or "part" not in table:
        raise TableError("The split lacks a column", expected, "Name the columns so")
    empty = (table["participant_id"].str.strip() == "") | (table["part"].str.strip() == "")
    if empty.any():
        raise TableError(f"The split has {empty.sum()} empty cell(s)", expected, "Fill them in")
    groups = table.groupby(table["part"].str.strip(), sort=False)["participant_id"]
    return {str(part): tuple(sorted(set(group.str.strip()))) for part, group in groups}


def read_split(path: Path) -> Split:
    """Read a split to train with, and its seed where its receipt is beside it and fits.

    Raises
    ------
    LeakageError
        A patient is in more than one part; the patients are named.
    NothingThere, TableError
        As `read_parts`.
    """
    parts = read_parts(path)
    receipt = read_receipt(path)
    counted = receipt.get("parts")
    fits = isinstance(counted, dict) and all(
        isinstance(told := counted.get(part), dict) and told.get("sha256") == part_hash(ids)
        for part, ids in parts.items()
    )
    seed = receipt.get("seed") if fits else None
    return Split(path.stem, parts, seed if isinstance(seed, int) else None)


def _receipt_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.receipt.json")


def read_receipt(path: Path) -> dict[str, Any]:
    """Read the receipt beside a split; {} where there is none, or it cannot be read."""
    try:
        content = json.loads(_receipt_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
