"""NIfTI files <-> Volumes and arrays."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import MutableMapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hemocast.anatomy.checks import check_hounsfield, check_skull
from hemocast.dicom.files.formats import Kind, name_of
from hemocast.dicom.files.nifti_header import SCANNER, UNKNOWN, nifti1_header
from hemocast.dicom.files.walk import files_below
from hemocast.dicom.geometry.regrid import AIR, canonical, whole
from hemocast.dicom.geometry.slices import MOST_VOXELS
from hemocast.dicom.refusals import is_denied, unreadable
from hemocast.errors import (
    BadGeometry,
    HemocastError,
    MalformedFile,
    MapNotAligned,
    MapNotFinite,
    NothingThere,
    NotHounsfield,
    SeveralScans,
    TooLarge,
    TruncatedFile,
)
from hemocast.files import replacing
from hemocast.volume import SIMULATED, Source, Volume

ENDINGS = (".nii", ".nii.gz")
SAME_MM = 0.05  # single precision in a header reaches 1e-4
MOST_SHEAR = 0.002  # cosine between two axes; single precision in the header reaches 1e-6
MOST_BEFORE_DATA = 2**20
_NIFTI1_BYTES, _NIFTI2_BYTES = 348, 540
GZIP_LEVEL = 1  # CT compresses nearly as well as at 9, and ten times as fast


def is_nifti(path: Path) -> bool:
    """Tell by its name whether a file is NIfTI."""
    return path.name.lower().endswith(ENDINGS)


def find_nifti(folder: Path, unread: MutableMapping[Path, OSError]) -> list[Path]:
    """Every NIfTI file below a folder (or the file itself); `unread` as for `files_below`."""
    return sorted(path for path in files_below(folder, unread) if is_nifti(path))


def read_nifti(path: Path) -> Volume:
    """Read a CT scan from a NIfTI file.

    Parameters
    ----------
    path : Path
        ``.nii`` or ``.nii.gz`` with one 3D image in HU.

    Raises
    ------
    NothingThere
        No such file.
    MalformedFile
        It is not NIfTI inside, or its header contradicts itself.
    TruncatedFile
        It ends before its data do.
    SeveralScans
        It holds several volumes (4D).
    BadGeometry
        It does not say where its voxels lie, or its axes are sheared (a gantry tilt left in).
    NotHounsfield
        Its values are not CT numbers.
    NotABrain
        Its skull has been taken off.
    TooLarge
        It claims more voxels than a head CT can have.
    Unreadable
        The system does not let it be read.
    """
    path = Path(path)
    if not path.is_file():
        raise NothingThere(
            "The NIfTI file does not exist", "a .nii or .nii.gz file", "Check the path"
        )
    image = _open(path)
    lps, doubts = _affine(image)
    corrected: tuple[str, ...] = ()
    values = _values(image)
    blank = ~np.isfinite(values)
    if blank.any():
        values[blank] = AIR
        corrected = ("voxels without a number set to air",)
    np.maximum(values, AIR, out=values)
    check_skull(values)
    check_hounsfield(values)
    turned, affine, _ = canonical(values.T, lps)
    source = Source(
        kind="nifti",
        scan_uid=nifti_uid(path),
        corrected=corrected,
        doubts=doubts,
        simulated=bytes(image.header["descrip"].item()).startswith(SIMULATED.encode()),
    )
    return Volume(whole(turned), affine, ((),) * turned.shape[0], source)


def read_map(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Read numbers that are no CT numbers, a heatmap's, say.

    Returns
    -------
    values : ndarray of float32, shape (x, y, z)
        As they lie in the file.
    affine : ndarray of float64, shape (4, 4)
        Voxel (i, j, k, 1) to mm (RAS+).

    Raises
    ------
    MalformedFile, TruncatedFile, SeveralScans, BadGeometry, TooLarge
        As `read_nifti` does; also for values that are not finite.
    """
    image = _open(path)
    lps, _ = _affine(image)
    values = _values(image)
    if not np.isfinite(values).all():
        raise _malformed("The NIfTI file holds values that are no numbers")
    return values, np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps


def read_map_of(path: Path, scan: Volume) -> tuple[NDArray[np.float32], bool]:
    """Read a map that lies on a scan's own grid.

    Returns
    -------
    values : ndarray of float32, shape (z, y, x)
        In the scan's canonical order.
    bool
        Whether its header says that it is simulated.

    Raises
    ------
    MapNotAligned
        It has another shape, or another affine by more than `SAME_MM` anywhere in the scan, or
        its header does not say where it lies.
    MapNotFinite
        A value is no number.
    MalformedFile, TruncatedFile, SeveralScans, TooLarge, NotHounsfield
        As `read_nifti` does.
    """
    image = _open(path)
    try:
        lps, _ = _affine(image)
    except BadGeometry as error:
        raise _not_aligned("does not say, or not credibly, where it lies") from error
    turned, affine, _ = canonical(_values(image).T, lps)
    if turned.shape != scan.hu.shape:
        told = " x ".join(map(str, turned.shape[::-1])), " x ".join(map(str, scan.hu.shape[::-1]))
        raise _not_aligned(f"has {told[0]} voxels, its scan {told[1]}")
    corners = np.array([[*at, 1.0] for at in np.ndindex(2, 2, 2)]).T
    corners[:3] *= np.array(turned.shape[::-1])[:, None] - 1
    away = float(np.abs((affine - scan.affine) @ corners).max())
    if not away <= SAME_MM:
        raise _not_aligned(f"lies up to {away:.1f} mm from its scan")
    if not np.isfinite(turned).all():
        raise MapNotFinite(
            f"The map holds {int((~np.isfinite(turned)).sum())} values that are no numbers",
            "a number in every voxel; 0 where nothing was measured",
            "Write the map again without gaps",
        )
    simulated = bytes(image.header["descrip"].item()).startswith(SIMULATED.encode())
    return np.asarray(turned, np.float32), simulated


def _not_aligned(seen: str) -> MapNotAligned:
    return MapNotAligned(
        f"The map {seen}",
        "a map on the scan's own grid, voxel by voxel, as infarct.nii.gz beside a prediction is",
        "Register the map to the scan and resample it to the scan's grid",
    )


@dataclass(frozen=True)
class _Image:
    """A NIfTI file as far as it has been looked at: its header and shape, and its data unread."""

    header: Any
    shape: tuple[int, ...]
    data: Any


def _is_packed(path: Path) -> bool:
    """Tell by its first bytes, whatever its name says, whether a file is packed by gzip."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _content(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if _is_packed(path) else path.open("rb")


def _header(start: bytes) -> Any:
    """Parse the first bytes of a single-file NIfTI, version 1 or 2, in either byte order.

    Raises
    ------
    ValueError
        They are something else.
    """
    import nibabel

    nib: Any = nibabel
    sizes = {int.from_bytes(start[:4], order) for order in ("little", "big")}
    cut = not start or sizes & {_NIFTI1_BYTES, _NIFTI2_BYTES}
    if len(start) < _NIFTI1_BYTES and cut:
        raise EOFError
    if _NIFTI1_BYTES in sizes and start[344:348] == b"n+1\0":
        return nib.Nifti1Header(start[:_NIFTI1_BYTES])
    if _NIFTI2_BYTES in sizes and start[4:12] == b"n+2\0\r\n\x1a\n":
        return nib.Nifti2Header(start[:_NIFTI2_BYTES])
    raise ValueError("another format")


def _open(path: Path) -> _Image:
    """Read the header alone, and refuse shapes and types before any voxel is read."""
    import nibabel

    nib: Any = nibabel
    try:
        with _content(path) as file:
            start = file.read(_NIFTI2_BYTES)
        header = _header(start)
        shape = tuple(int(n) for n in header.get_data_shape())
        offset = float(header["vox_offset"])
        kind = header.get_data_dtype()
        if not 0 <= offset <= MOST_BEFORE_DATA:
            raise _malformed("The NIfTI header points outside the file")
        # A path is opened by its ending, which may be wrong.
        honest = _is_packed(path) == path.name.lower().endswith(".gz")
        # Not `nibabel.load`: it reads every extension, however long it says it is.
        proxy = nib.arrayproxy.ArrayProxy(path if honest else _content(path), header, mmap=False)
        image = _Image(header, shape, proxy)
    except HemocastError:
        raise
    except (EOFError, zlib.error) as error:
        raise _truncated() from error
    # The library raises whatever its code trips over in a hostile header.
    except Exception as error:
        if is_denied(error):
            raise unreadable([error]) from error
        raise _not_nifti(path, error) from error
    if len(shape) > 3 and max(shape[3:]) > 1:
        raise SeveralScans(
            f"The NIfTI file holds an image of {len(shape)} dimensions",
            "one 3D volume",
            "Split it and give the plain CT volume",
        )
    if len(shape) < 3 or min(shape[:3]) < 2:
        raise BadGeometry("The NIfTI file holds no volume", "a 3D image", "Give the whole scan")
    if float(np.prod([float(n) for n in shape])) > MOST_VOXELS:
        raise TooLarge(
            f"The NIfTI file claims {' x '.join(map(str, shape))} voxels",
            f"at most {MOST_VOXELS} voxels",
            "Give the head alone",
        )
    if kind.kind not in "iuf":
        raise NotHounsfield(
            "The NIfTI file holds colours or complex numbers",
            "CT numbers in HU",
            "Give the original CT scan",
        )
    return image


def _not_nifti(path: Path, error: Exception) -> MalformedFile:
    known = name_of(path)
    if known is None or known[1] in (Kind.PACKED, Kind.NIFTI):
        return _malformed(f"The file is not NIfTI inside ({type(error).__name__})")
    seen = f"The file is called NIfTI, but is a {known[0]}"
    return MalformedFile(seen, "a NIfTI file of one CT scan", known[1].value)


def _affine(image: _Image) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Voxel (i, j, k, 1) to mm, LPS."""
    header = image.header
    sform, sform_code = header.get_sform(coded=True)
    try:
        qform, qform_code = header.get_qform(coded=True)
    except ValueError:
        qform, qform_code = None, 0
    if not sform_code and not qform_code:
        raise BadGeometry(
            "The NIfTI file does not say how its axes lie in the patient",
            "an sform or qform with a code above 0",
            "Convert the scan again from DICOM",
        )
    ras = np.array(sform if sform_code else qform, float)
    doubts: tuple[str, ...] = ()
    if sform_code and qform_code and not np.allclose(sform, qform, atol=0.1):
        doubts = ("the NIfTI file's sform and qform differ; the sform was used",)
    sizes = np.linalg.norm(ras[:3, :3], axis=0)
    if not np.isfinite(ras).all() or sizes.min() < 0.05 or sizes.max() > 20.0:
        raise BadGeometry(
            "The NIfTI file's voxels are not between 0.05 and 20 mm",
            "voxel sizes of a head CT, in mm",
            "Convert the scan again from DICOM",
        )
    unit = ras[:3, :3] / sizes
    shear = np.abs(unit.T @ unit - np.eye(3)).max()
    if shear > MOST_SHEAR:
        raise BadGeometry(
            f"The NIfTI file's axes are sheared (cosine {shear:.3f}), as a gantry tilt leaves them",
            "axes at right angles",
            "Give the DICOM files instead: the tilt is taken out from them",
        )
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ ras, doubts


def _values(image: _Image) -> NDArray[np.float32]:
    try:
        values = np.asarray(image.data, dtype=np.float32)
    except (EOFError, zlib.error, OSError) as error:
        if is_denied(error):
            raise unreadable([error]) from error
        raise _truncated() from error
    # The library raises ValueError for data shorter than the shape, and others in hostile files.
    except Exception as error:
        raise _malformed(f"The NIfTI data cannot be read ({type(error).__name__})") from error
    # A copy only where the library lends its own memory: a scan of thin slices is half a gigabyte.
    return np.require(values.reshape(values.shape[:3]), np.float32, ["W"])


def write_nifti(
    array: NDArray[Any],
    affine: NDArray[np.float64],
    path: Path,
    *,
    dtype: DTypeLike = np.int16,
    scaled: bool = False,
    description: str = "",
    sides_known: bool = True,
) -> None:
    """Write a volume as NIfTI, whole or not at all; the same volume gives the same bytes.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        As in `Volume.hu`; rounded and clipped when `dtype` is an integer.
    affine : ndarray, shape (4, 4)
        Voxel (x, y, z, 1) to mm, RAS+.
    path : Path
        ``.nii`` or ``.nii.gz``.
    dtype : dtype
        Of the stored values.
    scaled : bool
        Values of any size in whole steps of an integer `dtype`, the largest of which is its
        largest number; the header says how large a step is, and whoever reads multiplies.
    description : str
        Up to 79 characters for the header; `SIMULATED` in front is read back as `Source.simulated`.
    sides_known : bool
        False where left and right are not known: the header then says nothing about orientation
        (both codes 0), and viewers name no sides.
    """
    kind = np.dtype(dtype).newbyteorder("<")
    values = np.asarray(array)
    step = 1.0
    if scaled:
        largest = max(float(values.max()), -float(values.min()))
        step = float(np.float32(largest / np.iinfo(kind).max)) or 1.0
    code = SCANNER if sides_known else UNKNOWN
    header = nifti1_header(values.shape, kind, affine, code, description, step)
    # Slice by slice: a scan of thin ones is not held twice.
    parts = chain((header,), (_stored(level, kind, step) for level in values))
    with replacing(path) as temporary, temporary.open("wb") as file:
        if not path.name.lower().endswith(".gz"):
            file.writelines(parts)
            return
        # Most values of a map or mask are 0: their runs alone are packed, in half the time.
        of_runs = scaled or values.dtype == bool or kind.kind == "f"
        strategy = zlib.Z_RLE if of_runs else zlib.Z_DEFAULT_STRATEGY
        # No name and no time: the same volume gives the same bytes.
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 31, strategy=strategy)
        file.writelines(packer.compress(part) for part in parts)
        file.write(packer.flush())


def _stored(level: NDArray[Any], kind: np.dtype[Any], step: float) -> bytes:
    """Give a slice's bytes."""
    if step != 1:
        level = level / np.float32(step)
    if kind.kind in "iu" and level.dtype.kind == "f":
        limits = np.iinfo(kind)
        level = np.clip(np.rint(level), limits.min, limits.max)
    return np.ascontiguousarray(level, kind).tobytes()


def nifti_uid(path: Path) -> str:
    """Name the scan in a NIfTI file by a hash of its bytes, as `read_nifti` does."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def _truncated() -> TruncatedFile:
    return TruncatedFile(
        "The NIfTI file ends before its data do", "a whole file", "Copy or convert it again"
    )


def _malformed(seen: str) -> MalformedFile:
    return MalformedFile(seen, "a NIfTI file of one CT scan", "Convert the scan again from DICOM")
