"""A medium's DICOMDIR -> which images it lists, so that a bad copy of the medium is seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hemocast.dicom.header.inflate import read_dataset

_MOST_BYTES = 2**26  # a directory of 100,000 images takes about half of it


def listed_images(directory: Path) -> Mapping[str, frozenset[str]]:
    """Read which SOPInstanceUIDs a DICOMDIR lists for each SeriesInstanceUID.

    UIDs and not file names are compared: a zip's files have lost their names, and copies change
    the case of letters. A directory that is damaged or too large lists nothing: the files speak for
    themselves then.

    Parameters
    ----------
    directory : Path
        A file of the class Media Storage Directory.
    """
    listed: dict[str, set[str]] = {}
    series = ""
    try:
        if directory.stat().st_size > _MOST_BYTES:
            return {}
        # Records stand in the order patient, study, series, its images (PS3.3 F.3).
        for record in read_dataset(directory).get("DirectoryRecordSequence") or []:
            kind = str(record.get("DirectoryRecordType", ""))
            if kind == "SERIES":
                series = str(record.get("SeriesInstanceUID", ""))
            elif kind == "IMAGE" and record.get("ReferencedSOPInstanceUIDInFile"):
                listed.setdefault(series, set()).add(str(record.ReferencedSOPInstanceUIDInFile))
    # The parser raises whatever its code trips over in a hostile file.
    except Exception:
        return {}
    return {uid: frozenset(images) for uid, images in listed.items()}
