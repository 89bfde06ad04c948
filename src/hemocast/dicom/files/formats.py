"""What a file is that is neither DICOM nor NIfTI, by its first bytes, and what to do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from hemocast.errors import NotDicom

_HEAD_BYTES = 512
_TAR_AT = 257


class Kind(Enum):
    """What can be done with a format; the value is an action."""

    ARCHIVE = "Unpack it and give the folder"
    PACKED = "Unpack it and give what was in it"
    VOLUME = "Give the DICOM files, or convert it to NIfTI in HU with its orientation"
    NIFTI = "Give it a name that ends in .nii or .nii.gz"
    PICTURE = "Give the DICOM files: a picture or page holds no CT numbers"
    LISTING = "Give the DICOM files themselves: this only describes them"


# Name, kind, where in the file, first bytes.
_MAGIC: tuple[tuple[str, Kind, int, bytes], ...] = (
    ("7z archive", Kind.ARCHIVE, 0, b"7z\xbc\xaf\x27\x1c"),
    ("RAR archive", Kind.ARCHIVE, 0, b"Rar!\x1a\x07"),
    ("tar archive", Kind.ARCHIVE, _TAR_AT, b"ustar"),
    ("gzip file", Kind.PACKED, 0, b"\x1f\x8b"),
    ("bzip2 file", Kind.PACKED, 0, b"BZh"),
    ("xz file", Kind.PACKED, 0, b"\xfd7zXZ\0"),
    ("Zstandard file", Kind.PACKED, 0, b"\x28\xb5\x2f\xfd"),
    ("ISO disc image", Kind.ARCHIVE, 0, b"\0CD001"),
    ("NRRD volume", Kind.VOLUME, 0, b"NRRD"),
    ("MetaImage volume (MHA, MHD)", Kind.VOLUME, 0, b"ObjectType"),
    ("MetaImage volume (MHA, MHD)", Kind.VOLUME, 0, b"NDims"),
    ("MINC or HDF5 file", Kind.VOLUME, 0, b"\x89HDF\r\n\x1a\n"),
    ("MINC or NetCDF file", Kind.VOLUME, 0, b"CDF"),
    ("NumPy array", Kind.VOLUME, 0, b"\x93NUMPY"),
    ("NIfTI file", Kind.NIFTI, 344, b"n+1\0"),
    ("NIfTI header of a pair (hdr, img)", Kind.VOLUME, 344, b"ni1\0"),
    ("Analyze header (hdr, img)", Kind.VOLUME, 0, b"\x5c\x01\0\0"),
    ("Analyze header (hdr, img)", Kind.VOLUME, 0, b"\0\0\x01\x5c"),
    ("JPEG picture", Kind.PICTURE, 0, b"\xff\xd8\xff"),
    ("PNG picture", Kind.PICTURE, 0, b"\x89PNG"),
    ("TIFF picture", Kind.PICTURE, 0, b"II*\0"),
    ("TIFF picture", Kind.PICTURE, 0, b"MM\0*"),
    ("GIF picture", Kind.PICTURE, 0, b"GIF8"),
    ("BMP picture", Kind.PICTURE, 0, b"BM"),
    ("JPEG 2000 picture", Kind.PICTURE, 0, b"\0\0\0\x0cjP  "),
    ("PDF", Kind.PICTURE, 0, b"%PDF"),
)
_DICOM_JSON = (b'"00080018"', b'"0020000D"', b'"00080005"', b'"00080016"')


def name_of(path: Path) -> tuple[str, Kind] | None:
    """Tell a file's format by its first bytes, whatever its name says; nothing when unknown.

    Parameters
    ----------
    path : Path
        Of which no more than 512 bytes are read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return None
    for name, kind, at, magic in _MAGIC:
        if head[at : at + len(magic)] == magic:
            # What was packed by tar and gzip is an archive; the name is a hint that costs nothing.
            tarred = kind is Kind.PACKED and _is_tar_name(path)
            return (f"tar archive in a {name}", Kind.ARCHIVE) if tarred else (name, kind)
    if head.lstrip()[:1] in (b"{", b"[") and any(tag in head for tag in _DICOM_JSON):
        return "DICOM JSON listing", Kind.LISTING
    return None


def _is_tar_name(path: Path) -> bool:
    name = path.name.lower()
    return ".tar." in name or name.endswith((".tgz", ".tbz", ".tbz2", ".txz", ".tzst"))


def not_dicom(paths: Sequence[Path]) -> NotDicom:
    """Say of files of which none is DICOM what they are, and what to do with them.

    Parameters
    ----------
    paths : sequence of Path
        Not empty. No path is named, for it may name a patient.
    """
    found = Counter(known for path in paths[:1000] if (known := name_of(path)))
    expected = "the DICOM files of a head CT, a zip of them, or a NIfTI file"
    if not found:
        return NotDicom(
            f"None of the {len(paths)} file(s) there is DICOM",
            expected,
            "Export the scan again as DICOM and give that folder",
        )
    ((_, kind), _), *_ = found.most_common(1)
    if len(paths) == 1:
        ((name, _),) = found
        return NotDicom(f"The file is a {name}, not DICOM", expected, kind.value)
    said = ", ".join(f"{count} {name}" for (name, _), count in found.most_common(4))
    action = kind.value.replace(" it ", " them ").replace("this only", "these only")
    return NotDicom(f"None of the {len(paths)} files there is DICOM ({said})", expected, action)
