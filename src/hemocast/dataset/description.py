"""``dataset_description.json``: who made the dataset, whether it is simulated, and by which key."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hemocast import files
from hemocast.dataset.pseudonym import key_check, participant_id
from hemocast.errors import DatasetError, UsageError
from hemocast.version import VERSION

NAME = "dataset_description.json"
_NAMES = {False: "Head CT", True: "SIMULATED head CT, not patients"}


def read_description(root: Path) -> dict[str, Any]:
    """Read a folder's description; {} where there is none.

    Raises
    ------
    DatasetError
        It cannot be read.
    """
    path = root / NAME
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise DatasetError(
            f"{NAME} cannot be read",
            "a JSON object, as in every BIDS dataset",
            "Correct the file or restore it",
        )
    return content


def says_simulated(folder: Path) -> bool:
    """Whether a folder is a dataset whose description says that it is simulated."""
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(content.get("Simulated"))


def says_ours(description: dict[str, Any], kind: str = "raw") -> bool:
    """Tell whether a description says that Hemocast made the dataset; stacks are `derivative`."""
    made_by = description.get("GeneratedBy")
    makers = made_by if isinstance(made_by, list) else []
    named = any(isinstance(m, dict) and m.get("Name") == "hemocast" for m in makers)
    return named and description.get("DatasetType") == kind


def write_description(root: Path, key: bytes, *, simulated: bool) -> None:
    """Write the description; what else it holds stays, and so does a name of the user's.

    Parameters
    ----------
    root : Path
        The dataset.
    key : bytes
        Of the pseudonyms; a value to check it by is kept, from which nobody can find it.
    simulated : bool
        Any scan is.
    """
    known = read_description(root)
    simulated = simulated or bool(known.get("Simulated"))
    named = known.get("Name", "")
    made = {
        "Name": named if named not in {"", *_NAMES.values()} else _NAMES[simulated],
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "Simulated": simulated,
        "GeneratedBy": known.get("GeneratedBy") or [{"Name": "hemocast", "Version": VERSION}],
        "KeyCheck": key_check(key),
    }
    if known | made != known:
        files.write_json(root / NAME, known | made)


def refuse_other_key(root: Path, key: bytes) -> bool:
    """Refuse a key that is not the one by which the dataset's patients are named.

    Returns
    -------
    bool
        Whether the dataset could tell: one of version 0.1 keeps no check value.

    Raises
    ------
    UsageError
        Another key made the pseudonyms.
    """
    check = read_description(root).get("KeyCheck")
    if check is not None and check != key_check(key):
        raise other_key()
    return check is not None


def adopt_key(root: Path, key: bytes, patients: Iterable[str]) -> bool:
    """Keep the check value in a dataset of version 0.1, if the key gives a name that is there.

    Parameters
    ----------
    root : Path
        The dataset.
    key : bytes
        Perhaps its key.
    patients : iterable of str
        Identifiers of patients, some of whom may be in the dataset.

    Returns
    -------
    bool
        Whether one is.
    """
    there = {path.name for path in root.glob("sub-*")}
    proved = any(participant_id(key, patient) in there for patient in patients)
    if proved:
        write_description(root, key, simulated=False)
    return proved


def other_key() -> UsageError:
    """Say that the key is not the dataset's."""
    return UsageError(
        "The pseudonyms of this dataset were made with another key",
        "the key that made them: with another the same patient would enter as a second one, "
        "perhaps into another part of a split",
        "Name its file with --key, or name another folder",
    )
