"""Where everything lies in a dataset folder (BIDS-like).

A scan's sidecar is the record of truth: the tables are made from the sidecars, so that a run that
was stopped at any moment ends the same when it is started again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hemocast import files
from hemocast.dataset.description import read_description, says_ours
from hemocast.dataset.scan_id import ScanId
from hemocast.dataset.tables.columns import HT_OR_NOT, Column, TableSchema, parse_table, refuse
from hemocast.errors import DatasetError, NothingThere
from hemocast.tables import MISSING, read_table

if TYPE_CHECKING:
    import pandas as pd

SESSIONS = "quality/sessions"
SESSIONS_COLUMNS = ("scan_uid", "participant_id", "session")
_KIND = "dataset"
_LABELS = TableSchema(
    "labels",
    (
        Column("participant_id", required=True, blank=False),
        Column("label", "flag", words=HT_OR_NOT, required=True, hint="1 HT, 0 no HT"),
    ),
    ("participant_id",),
)


@dataclass(frozen=True)
class Dataset:
    """A dataset folder.

    Parameters
    ----------
    root : Path
        The folder that holds ``dataset_description.json``.
    """

    root: Path

    def scan_path(self, scan: ScanId) -> Path:
        """Path of a scan's NIfTI file; its sidecar ends in ``.json`` instead."""
        return self.root / scan.participant_id / scan.session / "ct" / scan.file_name

    @property
    def stacks(self) -> Path:
        """Folder of its prepared scans, found again by content and settings."""
        return self.root / "derivatives" / "hemocast" / "stacks"

    def sidecars(self) -> list[Path]:
        """Sidecars of all scans that are complete, in the order of their names."""
        found = sorted(self.root.glob("sub-*/ses-*/ct/*_ct.json"))
        return [path for path in found if nifti_of(path).is_file()]

    def is_simulated(self) -> bool:
        """Whether any scan is simulated, by ``dataset_description.json``."""
        return bool(read_description(self.root).get("Simulated"))

    def simulator_version(self) -> int | None:
        """Version of the simulator that made its scans; None for patients', 1 where it names none.

        Scans made by several versions are named by the latest.
        """
        description = read_description(self.root)
        if not description.get("Simulated"):
            return None
        version = description.get("SimulatorVersion")
        return version if isinstance(version, int) and version > 0 else 1

    def is_ours(self) -> bool:
        """Whether Hemocast made it: by its description, or by the sessions that 0.1 wrote first."""
        with suppress(DatasetError):
            if description := read_description(self.root):
                return says_ours(description)
        path = self.path(SESSIONS)
        return path.is_file() and path.read_bytes().startswith("\t".join(SESSIONS_COLUMNS).encode())

    def refuse_foreign(self) -> None:
        """Refuse a folder that is not a dataset of Hemocast's.

        Raises
        ------
        NothingThere
            There is no such folder.
        DatasetError
            Somebody else made it.
        """
        if not self.root.is_dir():
            raise NothingThere(
                "The dataset folder does not exist",
                "a dataset folder made by 'hemocast ingest'",
                "Check the path",
            )
        if not self.is_ours():
            raise DatasetError(
                "The folder is no dataset that Hemocast made",
                "a dataset_description.json that names hemocast under GeneratedBy",
                "Take the scans in with 'hemocast ingest' and use that dataset",
            )

    def check_writable(self) -> None:
        """Refuse now what `writing` would refuse later; see `hemocast.files.check_folder`."""
        files.check_folder(self.root, _KIND, also=self.root.is_dir() and self.is_ours())

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the dataset for this process alone; made where there is none.

        Raises
        ------
        OutputExists
            The folder holds something that is no dataset of Hemocast's.
        InUse
            Another process holds it.
        NotWritable
            It is a file, or cannot be written to.
        """
        with files.claim(self.root, _KIND, also=self.root.is_dir() and self.is_ours()):
            yield

    def path(self, name: str) -> Path:
        """Where a table of the dataset lies."""
        return self.root / f"{name}.tsv"

    def table(self, name: str) -> pd.DataFrame:
        """Read one of the dataset's tables, all cells as text.

        Raises
        ------
        NothingThere
            The dataset has no such table.
        TableError
            It cannot be read.
        """
        path = self.path(name)
        if not path.is_file():
            raise NothingThere(
                f"The dataset has no {name}.tsv",
                "a dataset folder made by 'hemocast ingest'",
                "Check the path, or ingest the scans again",
            )
        return read_table(path, path.name, may_be_empty=True)

    def write_table(
        self, name: str, rows: Iterable[Mapping[str, object]], columns: Sequence[str]
    ) -> None:
        """Write a table of the dataset whole or not at all; what a row lacks becomes ``n/a``."""
        files.write_table(self.path(name), rows, columns, missing=MISSING)

    def labels(self) -> dict[str, int]:
        """Read ``labels.tsv``: participant_id -> 1 (HT) or 0 (no HT); unlabelled ones left out.

        Raises
        ------
        NothingThere
            The dataset has no labels.
        TableError
            A label is neither 0, 1 nor ``n/a``, or a participant has several.
        """
        parsed = parse_table(_LABELS, self.table("labels"))
        refuse(parsed.faults)
        known = parsed.table.dropna(subset=["label"])
        return dict(zip(known["participant_id"], known["label"].astype(int), strict=True))


def nifti_of(sidecar: Path) -> Path:
    """The NIfTI file beside a sidecar."""
    return sidecar.with_name(sidecar.name.removesuffix(".json") + ".nii.gz")
