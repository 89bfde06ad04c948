"""Where everything lies in a dataset folder (BIDS-like), and how its files are written.

A scan's sidecar is the record of truth: the tables are made from the sidecars, so that a run that
was stopped at any moment ends the same when it is started again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast.errors import NothingThere, TableError
from hemocast.tables import MISSING, read_table

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` on success, remove it otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix="".join(path.suffixes))
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def write_table(path: Path, rows: Iterable[Mapping[str, object]], columns: list[str]) -> None:
    """Write a tab-separated table with `columns`; what a row lacks becomes ``n/a``."""
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=columns, dtype=object)
    with replacing(path) as temporary:
        table.to_csv(temporary, sep="\t", index=False, na_rep=MISSING)


@dataclass(frozen=True)
class Dataset:
    """A dataset folder.

    Parameters
    ----------
    root : Path
        The folder that holds ``dataset_description.json``.
    """

    root: Path

    def scan_path(self, participant_id: str, session: str) -> Path:
        """Path of a scan's NIfTI file; its sidecar ends in ``.json`` instead."""
        name = f"{participant_id}_{session}_ct.nii.gz"
        return self.root / participant_id / session / "ct" / name

    def sidecars(self) -> list[Path]:
        """Sidecars of all scans that are complete, in the order of their names."""
        found = sorted(self.root.glob("sub-*/ses-*/ct/*_ct.json"))
        return [path for path in found if nifti_of(path).is_file()]

    def is_simulated(self) -> bool:
        """Whether any scan is simulated, by ``dataset_description.json``."""
        path = self.root / "dataset_description.json"
        return path.is_file() and bool(
            json.loads(path.read_text(encoding="utf-8")).get("Simulated")
        )

    def table(self, name: str) -> pd.DataFrame:
        """Read one of the dataset's tables, all cells as text.

        Raises
        ------
        NothingThere
            The dataset has no such table.
        TableError
            It cannot be read.
        """
        path = self.root / f"{name}.tsv"
        if not path.is_file():
            raise NothingThere(
                f"The dataset has no {name}.tsv",
                "a dataset folder made by 'hemocast ingest'",
                "Check the path, or ingest the scans again",
            )
        return read_table(path, path.name, may_be_empty=True)

    def labels(self) -> dict[str, int]:
        """Read ``labels.tsv``: participant_id -> 1 (HT) or 0 (no HT); unlabelled ones left out.

        Raises
        ------
        NothingThere
            The dataset has no labels.
        TableError
            A label is neither 0, 1 nor ``n/a``, or a participant has several.
        """
        table = self.table("labels")
        lacking = {"participant_id", "label"} - set(table.columns)
        faults = [f"no column {name}" for name in sorted(lacking)]
        if not lacking:
            table = table.apply(lambda cells: cells.str.strip()).replace("", MISSING)
            again = table["participant_id"].duplicated()
            faults += [
                f"row {row}: {f'{person} again' if twice else f'label {label!r}'}"
                for row, (person, label, twice) in enumerate(
                    zip(table["participant_id"], table["label"], again, strict=True), start=2
                )
                if twice or label not in {"0", "1", MISSING}
            ]
        if faults:
            raise TableError(
                f"labels.tsv has {len(faults)} fault(s): {'; '.join(faults[:20])}",
                "one row per participant_id with label 1 (HT), 0 (no HT) or n/a",
                "Correct the rows named",
            )
        pairs = zip(table["participant_id"], table["label"], strict=True)
        return {participant: int(text) for participant, text in pairs if text != MISSING}


def nifti_of(sidecar: Path) -> Path:
    """The NIfTI file beside a sidecar."""
    return sidecar.with_name(sidecar.name.removesuffix(".json") + ".nii.gz")
