"""What is wanted of a PACS, in the terms of its answers: the same for DIMSE and the web.

Not every PACS heeds every key, and a key may hold a wildcard that nobody meant: each answer is
looked at again here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pydicom import Dataset

STUDY_KEYS = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "PatientID",
    "StudyDescription",
)  # fmt: skip
SERIES_KEYS = (
    "SeriesInstanceUID", "Modality", "BodyPartExamined", "SeriesDescription",
    "NumberOfSeriesRelatedInstances",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Wanted:
    """Which CT studies. What is empty is not asked for. Protected health information.

    Parameters
    ----------
    since : datetime, optional
        Begun then or later, in the local time of the PACS.
    patient, accession, study : str
        Exactly these: PatientID, accession number, study UID.
    body_part, description : tuple of str
        Words of which one must be in the text, where there is a text.
    """

    since: datetime | None = None
    patient: str = ""
    accession: str = ""
    study: str = ""
    body_part: tuple[str, ...] = ()
    description: tuple[str, ...] = ()

    def keys(self) -> dict[str, str]:
        """Give the keys of a query for studies that have a value."""
        # A day more: ranges of date and time are matched apart, and clocks differ.
        dates = "" if self.since is None else f"{self.since - timedelta(days=1):%Y%m%d}-"
        given = {
            "StudyInstanceUID": self.study,
            "StudyDate": dates,
            "AccessionNumber": self.accession,
            "PatientID": self.patient,
            "ModalitiesInStudy": "CT",
        }
        return {name: value for name, value in given.items() if value}

    def fits_study(self, answer: Dataset) -> bool:
        """Tell whether a study is wanted, as far as it says."""
        exactly = (
            (self.patient, "PatientID"),
            (self.accession, "AccessionNumber"),
            (self.study, "StudyInstanceUID"),
        )
        return _is_since(answer, self.since) and all(
            not value or text(answer, name) == value for value, name in exactly
        )

    def fits_series(self, answer: Dataset, study: Dataset) -> bool:
        """Tell whether a series of a study that fits is wanted."""
        described = text(answer, "SeriesDescription"), text(study, "StudyDescription")
        return (
            text(answer, "Modality") in ("CT", "")
            and _has(self.body_part, [text(answer, "BodyPartExamined")])
            and _has(self.description, described)
        )


@dataclass(frozen=True, repr=False)
class FoundSeries:
    """A series that a PACS has.

    Parameters
    ----------
    uid : str
    images : int or None
        How many it has, where it says so.
    """

    uid: str
    images: int | None


@dataclass(frozen=True, repr=False)
class FoundStudy:
    """A study that a PACS has, with the series of it that are wanted.

    Parameters
    ----------
    uid : str
    series : tuple of FoundSeries
    """

    uid: str
    series: tuple[FoundSeries, ...]

    def only(self, series: Sequence[FoundSeries]) -> FoundStudy:
        """Give it with some of its series alone."""
        return replace(self, series=tuple(series))

    @property
    def images(self) -> int | None:
        """How many images are wanted, where the PACS says so of every series."""
        counts = [one.images for one in self.series if one.images is not None]
        return sum(counts) if len(counts) == len(self.series) else None


class Source(Protocol):
    """A PACS that is asked, and that gives."""

    def find(self, wanted: Wanted) -> list[FoundStudy]:
        """List the studies that are wanted; raises `PeerRefused`."""

    def fetch(self, study: FoundStudy) -> None:
        """Return once its series' images have come; raises `PeerRefused`."""


def found_series(answer: Dataset) -> FoundSeries:
    """Read the answer of a query for series."""
    number = text(answer, "NumberOfSeriesRelatedInstances")
    known = number.isascii() and number.isdigit() and int(number[:9]) > 0
    return FoundSeries(text(answer, "SeriesInstanceUID"), int(number[:9]) if known else None)


def text(answer: Dataset, name: str) -> str:
    """Give the text of an element; "" where there is none, or none that can be read."""
    try:
        value = answer.get(name)
        return "" if value is None else str(value).strip()
    # A value that breaks its own type's rules says nothing.
    except Exception:
        return ""


def _is_since(answer: Dataset, since: datetime | None) -> bool:
    date, time = text(answer, "StudyDate"), text(answer, "StudyTime")[:6]
    if since is None or not date:
        return True
    # Without a time, any time of that day.
    return date + (time or "235959").ljust(6, "0") >= f"{since:%Y%m%d%H%M%S}"


def _has(words: Iterable[str], texts: Iterable[str]) -> bool:
    said = "\n".join(filter(None, texts)).upper()
    wanted = [word.upper() for word in words]
    return not wanted or not said or any(word in said for word in wanted)
