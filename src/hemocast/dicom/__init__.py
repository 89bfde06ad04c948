"""Files -> Series -> Volume: read, select, geometry, write."""

from hemocast.dicom.files.archive import ArchiveLimits, open_path
from hemocast.dicom.files.nifti import read_nifti, write_nifti
from hemocast.dicom.files.write import CTHeader, make_uid, write_ct
from hemocast.dicom.read import one_scan, read, read_series
from hemocast.dicom.series.find import find_scans
from hemocast.dicom.series.found import Found, Refusal, Scan, Series

__all__ = [
    "ArchiveLimits",
    "CTHeader",
    "Found",
    "Refusal",
    "Scan",
    "Series",
    "find_scans",
    "make_uid",
    "one_scan",
    "open_path",
    "read",
    "read_nifti",
    "read_series",
    "write_ct",
    "write_nifti",
]
