"""The name of a scan: whose it is and which of that patient's scans."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hemocast.dataset.pseudonym import DIGITS

ALL = "all"
"""`scan_id` of the row that speaks for all scans of a patient who has several."""

PARTICIPANT = r"sub-[0-9A-Za-z]+"
SESSION = r"ses-[0-9A-Za-z]+"
SCAN = f"{PARTICIPANT}_{SESSION}"
_SCAN = re.compile(f"({PARTICIPANT})_({SESSION})")
_PSEUDONYM = re.compile(rf"sub-[0-9a-f]{{{DIGITS}}}_ses-\d{{2,3}}")
_ENDING = re.compile(r"_ct\.(nii\.gz|nii|json)$")


@dataclass(frozen=True, order=True)
class ScanId:
    """A scan's name; as text ``sub-0123456789ab_ses-01``, the `scan_id` of every table.

    Parameters
    ----------
    participant_id : str
        ``sub-`` and letters or digits.
    session : str
        ``ses-`` and letters or digits.
    """

    participant_id: str
    session: str

    def __str__(self) -> str:
        return f"{self.participant_id}_{self.session}"

    @classmethod
    def numbered(cls, participant_id: str, number: int) -> ScanId:
        """Name a patient's scan by its number, from 1."""
        return cls(participant_id, f"ses-{number:02d}")

    @classmethod
    def parse(cls, text: str) -> ScanId | None:
        """Read a scan_id; None where the text is none."""
        found = _SCAN.fullmatch(text)
        return cls(*found.groups()) if found else None

    @classmethod
    def of_file(cls, name: str) -> ScanId | None:
        """Read the name of a dataset's NIfTI file or sidecar; None where it is neither."""
        return cls.parse(_ENDING.sub("", name)) if _ENDING.search(name) else None

    @property
    def is_pseudonym(self) -> bool:
        """It has the form that Hemocast gives; any other may be somebody's name or birth date."""
        return _PSEUDONYM.fullmatch(str(self)) is not None

    @property
    def number(self) -> int | None:
        """Which of the patient's scans, where the session is a number."""
        digits = self.session.removeprefix("ses-")
        return int(digits) if digits.isdecimal() else None

    @property
    def file_name(self) -> str:
        """The name of its NIfTI file; that of its sidecar ends in ``.json`` instead."""
        return f"{self}_ct.nii.gz"


def participant_of(scan_id: str) -> str:
    """Tell whose a scan is, also by an id of others that goes on after the first ``_``."""
    return scan_id.partition("_")[0]
