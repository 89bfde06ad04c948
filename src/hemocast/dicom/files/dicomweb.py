"""A DICOMweb server -> the CT studies it holds, one at a time into a folder.

The network is touched only for a server that the user named. Credentials, where a server wants any,
come from the user's ``~/.netrc``; they are never part of an address.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemocast.dicom.files.archive import ArchiveLimits
from hemocast.errors import HemocastError, MissingExtra, NothingThere, TooLarge

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient
    from pydicom import Dataset

_SCHEMES = ("dicomweb+http://", "dicomweb+https://")
_STUDY, _SERIES = "0020000D", "0020000E"
_PAGE = 200
_MOST = 5000
_TIMEOUT = (10.0, 120.0)  # seconds: to connect, and between two pieces
# Their lines hold addresses with UIDs, and values of headers.
_TALKERS = ("dicomweb_client", "urllib3", "pydicom")


@dataclass(frozen=True, repr=False)
class RemoteStudy:
    """A study on a server: protected health information.

    Parameters
    ----------
    uid : str
        StudyInstanceUID.
    when : str
        Date and time as the server says them, for the order of studies.
    series : tuple of str
        SeriesInstanceUIDs of its CT series.
    """

    uid: str
    when: str
    series: tuple[str, ...]

    @property
    def scan_uids(self) -> set[str]:
        """Names that a scan of this study may have; see `Series.scan_uid`."""
        pairs = (f"{self.uid}\x1f{series}" for series in self.series)
        return {hashlib.sha256(pair.encode()).hexdigest()[:16] for pair in pairs}


def is_server(source: str) -> bool:
    """Tell whether a source is the address of a DICOMweb server."""
    return source.lower().startswith(_SCHEMES)


def client_class() -> type[DICOMwebClient]:
    """Return the client's class.

    Raises
    ------
    MissingExtra
        The client is not installed.
    """
    try:
        from dicomweb_client import DICOMwebClient
    except ImportError as error:
        raise MissingExtra(
            "The DICOMweb client is not installed",
            "Hemocast with its extra 'serve'",
            "Install it with: pip install 'hemocast[serve]'",
        ) from error
    return DICOMwebClient


class Server:
    """A DICOMweb server (QIDO-RS and WADO-RS).

    Parameters
    ----------
    address : str
        ``dicomweb+http://host:port/path`` or ``dicomweb+https://...``.

    Raises
    ------
    MissingExtra
        The client is not installed.
    NothingThere
        It is no address.
    """

    def __init__(self, address: str) -> None:
        client = client_class()
        try:
            self._client = client(
                url=address[len("dicomweb+") :].rstrip("/"), timeout=_TIMEOUT, permissive_uid=True
            )
        except ValueError as error:
            raise _silent(error) from None
        self._client.set_http_retry_params(max_attempts=3, wait_exponential_multiplier=500)

    def studies(self) -> list[RemoteStudy]:
        """List the studies that hold CT, in the order of time.

        Raises
        ------
        NothingThere
            The server does not answer as a DICOMweb server does.
        """
        with _asking():
            entries = self._entries({"ModalitiesInStudy": "CT"}, ["StudyDate", "StudyTime"])
            found = sorted(
                (_value(entry, "00080020") + _value(entry, "00080030"), _value(entry, _STUDY))
                for entry in entries
            )
            studies = [RemoteStudy(uid, when, tuple(self._series(uid))) for when, uid in found]
        return [study for study in studies if study.series]

    def _series(self, study_uid: str) -> list[str]:
        # Not every server heeds the filter.
        return sorted(
            {
                _value(entry, _SERIES)
                for entry in self._entries({"Modality": "CT"}, (), study_uid)
                if _value(entry, "00080060") in ("CT", "")
            }
            - {""}
        )

    def search(
        self, keys: Mapping[str, str], asked: Sequence[str], *, study_uid: str = ""
    ) -> list[Dataset]:
        """Ask for studies, or for the series of a study, by keys of the standard (QIDO-RS).

        Parameters
        ----------
        keys : mapping of str to str
            Attributes that must match.
        asked : sequence of str
            Attributes that are to be told.
        study_uid : str
            Of the study whose series are asked for.

        Raises
        ------
        NothingThere
            As for `studies`.
        TooLarge
            More than 5,000 fit.
        """
        from pydicom import Dataset

        found: list[dict[str, Any]] = []
        with _asking():
            for entry in self._entries(keys, asked, study_uid):
                found.append(entry)
                if len(found) > _MOST:
                    raise TooLarge(
                        f"The server lists more than {_MOST} entries for one question",
                        "a question that fewer answer",
                        "Ask for a shorter time, or for one patient",
                    )
            return [Dataset.from_json(entry) for entry in found]

    def _entries(
        self, keys: Mapping[str, str], asked: Sequence[str], study_uid: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Give the answers page by page, each once.

        The client's own paging asks for ever where a server heeds no offset: here a page with
        nothing new is the last one.
        """
        seen: set[str] = set()
        while page := self._page(keys, asked, study_uid, len(seen)):
            named = {_value(entry, _SERIES if study_uid else _STUDY): entry for entry in page}
            new = {uid: entry for uid, entry in named.items() if uid not in seen}
            if not new:
                return
            seen |= new.keys()
            yield from new.values()

    def _page(
        self, keys: Mapping[str, str], asked: Sequence[str], study_uid: str, offset: int
    ) -> list[dict[str, Any]]:
        given: dict[str, Any] = {
            "search_filters": dict(keys), "fields": list(asked), "limit": _PAGE, "offset": offset,
        }  # fmt: skip
        if study_uid:
            return self._client.search_for_series(study_uid, **given)
        return self._client.search_for_studies(**given)

    def fetch(self, study: RemoteStudy, folder: Path) -> None:
        """Write the images of a study's CT series into a folder, under names of our own.

        Raises
        ------
        NothingThere
            The server does not give them.
        TooLarge
            It gives more than a study can hold.
        """
        most, total, number = ArchiveLimits().total_bytes, 0, 0
        folder.mkdir(parents=True, exist_ok=True)
        with _asking():
            for series in study.series:
                for image in self._client.iter_series(
                    study.uid, series, media_types=(("application/dicom", "*"),)
                ):
                    path = folder / f"{number:06d}"
                    image.save_as(path, enforce_file_format=True)
                    number += 1
                    total += path.stat().st_size
                    if total > most:
                        raise TooLarge(
                            f"The server gave more than {most >> 20} MB for one study",
                            "a study of head CT",
                            "Fetch it by other means and give the folder",
                        )


def _value(entry: dict[str, Any], tag: str) -> str:
    values = entry.get(tag, {}).get("Value") or [""]
    return str(values[0])


@contextmanager
def _asking() -> Iterator[None]:
    """Turn whatever the client raises into a refusal, and keep it from quoting what it got."""
    try:
        with quiet():
            yield
    except HemocastError:
        raise
    # Connection, HTTP status, JSON, multipart and DICOM each raise errors of their own.
    except Exception as error:
        raise _silent(error) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the client, and what it uses, from logging and warning of what it sends and gets."""
    loggers = [logging.getLogger(name) for name in _TALKERS]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _silent(error: Exception) -> NothingThere:
    status = getattr(getattr(error, "response", None), "status_code", None)
    told = f"status {status}" if isinstance(status, int) else type(error).__name__
    return NothingThere(
        f"The DICOMweb server does not give what was asked for ({told})",
        "a server that answers QIDO-RS and WADO-RS at this address",
        "Check the address, and your right to read from it (~/.netrc)",
    )
