"""Give Hemocast thousands of hostile inputs: zips, NIfTI, deflated DICOM, model folders, tables.

Run: ``python benchmarks/fuzz_inputs.py [CASES] [--seed N] [--workers N] [--case N]``; see
``fuzz_reading.py``. A case may take 20 s of CPU and 1 GB on top of the worker's own.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import shutil
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np
from fuzz_bases import PIXEL_MM, SIZE, STEP_MM, head, write_bases
from fuzz_harness import Target, main_of, outcome_of
from fuzz_mutations import HOSTILE, HOSTILE_TEXT, cut, grow, mutate
from numpy.random import Generator

CPU_SECONDS = 20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def damage(data: bytes, rng: Generator) -> bytes:
    """Change, cut or stretch bytes, or put a hostile number anywhere."""
    kind = rng.integers(4)
    if len(data) < 8 or kind == 0:
        return grow(data, rng) if len(data) > 1 else data
    if kind == 1:
        return cut(data, rng)
    out = bytearray(data)
    for _ in range(int(2 ** rng.uniform(0, 5))):
        # Headers and directories lie at the two ends.
        span = min(len(out) - 4, 400) if rng.random() < 0.7 else len(out) - 4
        at = int(rng.integers(span))
        at = len(out) - 4 - at if rng.random() < 0.3 else at
        if kind == 2:
            out[at] = rng.integers(256)
        else:
            struct.pack_into("<I", out, at, int(rng.choice(HOSTILE)))
    return bytes(out)


def zip_case(bases: Path, rng: Generator, folder: Path) -> Callable[[], object]:
    """Pack a series by any method, with nested, bombing, oddly named or damaged members."""
    from hemocast.dicom import read

    method = int(rng.choice(METHODS))
    names = ("{}", "../{}", "/{}", "a/b/{}", "C:\\{}", "{}\0x", "same", "ü/{}")
    name = str(rng.choice(names)) if rng.random() < 0.3 else "{}"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for number, path in enumerate(sorted((bases / "explicit").iterdir())):
            content = path.read_bytes()
            archive.writestr(name.format(number) or "x", content if rng.random() < 0.9 else
                             damage(content, rng))  # fmt: skip
        if rng.random() < 0.15:
            archive.writestr("zeros", bytes(int(2 ** rng.uniform(10, 26))))
    content = buffer.getvalue()
    for _ in range(int(rng.choice((0, 0, 1, 2, 3, 5)))):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", int(rng.choice(METHODS))) as archive:
            archive.writestr("inner.zip", content)
        content = outer.getvalue()
    if rng.random() < 0.75:
        content = damage(content, rng)
    path = folder / "scan.zip"
    path.write_bytes(content)
    return lambda: read(path)


def nifti_case(bases: Path, rng: Generator, folder: Path) -> Callable[[], object]:
    """Damage a NIfTI file: header fields, extensions, data, its compression."""
    from hemocast.dicom import read

    data = bytearray(gzip.decompress((bases / "head.nii.gz").read_bytes()))
    kind = rng.integers(5)
    if kind == 0:  # sizes, types, offsets and scales of the header
        for _ in range(int(rng.integers(1, 6))):
            at = int(rng.choice((0, 40, 42, 44, 46, 48, 70, 72, 76, 80, 84, 88, 108, 112, 116, 252,
                                 254, 256, 280, 296, 312, 344)))  # fmt: skip
            value = struct.pack("<I", int(rng.choice(HOSTILE)))
            data[at : at + 2] = value[:2]
            if rng.random() < 0.5:
                data[at : at + 4] = value
    elif kind == 1:  # extensions that are, or claim to be, long
        n = int(2 ** rng.uniform(0, 10))
        size = int(rng.choice((*HOSTILE, 16, 32, 4096)))
        extensions = (struct.pack("<II", size, 6) + bytes(8)) * n
        data[348:352] = b"\1\0\0\0"
        struct.pack_into("<f", data, 108, 352 + len(extensions) * (rng.random() < 0.7))
        data[352:352] = extensions
    content = bytes(data) if kind < 2 else damage(bytes(data), rng)
    packed = rng.random() < 0.6
    if packed:
        content = gzip.compress(content, 1)
        content = damage(content, rng) if rng.random() < 0.4 else content
    path = folder / ("head.nii.gz" if packed else "head.nii")
    path.write_bytes(content)
    return lambda: read(path)


def deflated_case(bases: Path, rng: Generator, folder: Path) -> Callable[[], object]:
    """Damage what is deflated, the stream itself, or the meta header in front of it."""
    from hemocast.dicom import read

    paths = sorted((bases / "deflated").iterdir())
    victim = int(rng.integers(len(paths)))
    for number, path in enumerate(paths):
        content = path.read_bytes()
        if number == victim:
            start = 144 + int.from_bytes(content[140:144], "little")
            meta, packed = content[:start], content[start:]
            kind = rng.integers(4)
            if kind == 0:
                meta = damage(meta[:132], rng)[:132].ljust(132, b"\0") + damage(meta[132:], rng)
            elif kind == 1:
                packed = damage(packed, rng)
            else:
                inner = zlib.decompressobj(-15).decompress(packed)
                inner = mutate(inner, rng) if kind == 2 else damage(inner, rng)
                if rng.random() < 0.2:
                    inner += bytes(int(2 ** rng.uniform(10, 27)))
                packer = zlib.compressobj(1, zlib.DEFLATED, -15)
                packed = packer.compress(inner) + packer.flush()
            content = meta + packed
        (folder / path.name).write_bytes(content)
    return lambda: read(folder)


def model_case(bases: Path, rng: Generator, folder: Path) -> Callable[[], object]:
    """Damage a model's files; sometimes with the hashes made right again, as an attacker would."""
    from hemocast.model import load

    for path in (bases / "model").iterdir():
        shutil.copy(path, folder)
    name = str(rng.choice(["model.yaml", "model.onnx", "weights.safetensors", "card.md"]))
    path = folder / name
    if name == "model.yaml" and rng.random() < 0.6:
        path.write_bytes(_hostile_line(path.read_bytes(), rng))
    else:
        path.write_bytes(damage(path.read_bytes(), rng))
    if rng.random() < 0.8:
        _sign(folder)
    return lambda: load(folder, threads=1)


def _hostile_line(content: bytes, rng: Generator) -> bytes:
    lines = content.split(b"\n")
    at = int(rng.integers(len(lines)))
    words = (*HOSTILE_TEXT, "[]", "{}", "null", "true", ".inf", ".nan",
             "!!python/object:os.system x",
             "&a [*a]", "[" * 3000, "{a: " * 500)  # fmt: skip
    value = str(rng.choice(words)).encode()
    key = lines[at].split(b":")[0]
    lines[at] = key + b": " + value if rng.random() < 0.8 else value
    return b"\n".join(lines)


def _sign(folder: Path) -> None:
    """Write the true hashes of all files into the description."""
    path = folder / "model.yaml"
    content = path.read_bytes()
    for name in ("weights.safetensors", "model.onnx", "card.md"):
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest().encode()
        content = re.sub(rb"(  " + name.encode() + rb": )[0-9a-f]{64}", rb"\g<1>" + digest, content)
    body = content[: content.rfind(b"sha256: ")] if b"sha256: " in content else content + b"\n"
    path.write_bytes(body + b"sha256: " + hashlib.sha256(body).hexdigest().encode() + b"\n")


CELLS = ("", "n/a", "nan", "inf", "1e999", "-1", "0", "1", "2", "0.5", "1,5", '"', '"a\nb"', "=1+1",
         "\t", "\0", "ü", "\ufeff", "9" * 400, "sub-1", "x" * 5000, "TRUE", "1e-320")  # fmt: skip


def _tables(rng: Generator) -> dict[str, str]:
    """Sound tables of 40 patients."""
    ids = [f"sub-{n:012x}" for n in range(40)]
    rows = {
        "predictions.csv": ["participant_id,scan_id,label,probability,model,site"],
        "labels.csv": ["participant_id,label"],
        "given.csv": ["patient_id,label"],
        "readings.csv": [
            "reader_id,participant_id,scan_id,probability,decision,confidence,seconds,arm,order,"
            "repeat,read_at"
        ],
        "split.tsv": ["participant_id\tpart"],
        "clinical.tsv": ["participant_id\tsex\tage\tsite\ttreatment"],
    }
    for n, name in enumerate(ids):
        scan, truth, p = f"{name}_ses-01", n % 2, f"{rng.random():.4f}"
        rows["predictions.csv"].append(f"{name},{scan},{truth},{p},net,{'AB'[n % 3 == 0]}")
        rows["labels.csv"].append(f"{name},{truth}")
        rows["given.csv"].append(f"{n},{truth}")
        for reader in ("R1", "R2"):
            rows["readings.csv"].append(
                f"{reader},{name},{scan},{p},{truth},3,20,unaided,{n},0,2026-01-01T00:00:00"
            )
        rows["split.tsv"].append(f"{name}\t{('train', 'test')[n % 4 == 0]}")
        rows["clinical.tsv"].append(f"{name}\t{'FM'[n % 2]}\t{40 + n}\tA\tnone")
    return {name: "\n".join(lines) + "\n" for name, lines in rows.items()}


def table_case(bases: Path, rng: Generator, folder: Path) -> Callable[[], object]:
    """Damage the bytes or the cells of one table, and read them as an evaluation does."""
    from hemocast.dataset.split.saved import read_split
    from hemocast.dataset.tables.labels import read_labels
    from hemocast.evaluate.run import Tables, read_inputs

    tables = _tables(rng)
    victim = str(rng.choice(sorted(tables)))
    for name, text in tables.items():
        content = text.encode()
        if name == victim:
            content = _hostile_cells(text, rng) if rng.random() < 0.6 else damage(content, rng)
            codes = ("utf-16", "utf-32", "latin-1", "utf-8-sig", "cp500")
            if rng.random() < 0.15:
                content = content.decode("utf-8", "replace").encode(
                    str(rng.choice(codes)), "replace"
                )
        (folder / name).write_bytes(content)
    if victim == "split.tsv":
        return lambda: read_split(folder / victim)
    if victim == "given.csv":
        return lambda: read_labels(folder / victim)
    paths = [folder / n for n in ("predictions.csv", "readings.csv", "clinical.tsv", "labels.csv")]
    return lambda: read_inputs(Tables(*paths))


def _hostile_cells(text: str, rng: Generator) -> bytes:
    mark = "\t" if "\t" in text else ","
    rows = [line.split(mark) for line in text.splitlines()]
    for _ in range(int(2 ** rng.uniform(0, 5))):
        row = rows[0 if rng.random() < 0.15 else rng.integers(len(rows))]
        kind = rng.random()
        if kind < 0.8 and row:
            row[rng.integers(len(row))] = str(rng.choice(CELLS))
        elif kind < 0.9:
            row.append(str(rng.choice(CELLS)))
        else:
            rows.append(list(row))
    mark = str(rng.choice((mark, mark, mark, ";", ",", "\t", "|")))
    return str(rng.choice(("\n", "\n", "\r\n", "\r"))).join(mark.join(row) for row in rows).encode()


KINDS = (zip_case, nifti_case, deflated_case, model_case, table_case)


def input_case(bases: Path, seed: int, case: int, folder: Path) -> str:
    """Make one input of the kind whose turn it is, and read it."""
    rng = np.random.default_rng([seed, case])
    return outcome_of(KINDS[case % len(KINDS)](bases, rng, folder))


def warm(bases: Path, folder: Path) -> None:
    """Read a sound input of every kind, twice."""
    from hemocast.dicom import read
    from hemocast.evaluate.run import Tables, read_inputs
    from hemocast.model import load

    tables = _tables(np.random.default_rng(0))
    for name, text in tables.items():
        (folder / name).write_text(text)
    paths = [folder / n for n in ("predictions.csv", "readings.csv", "clinical.tsv", "labels.csv")]
    for _ in range(2):
        read(bases / "explicit")
        read(bases / "deflated")
        read(bases / "head.nii.gz")
        load(bases / "model", threads=1)
        read_inputs(Tables(*paths))


def target(root: Path, seed: int) -> Target:
    """Write sound inputs, and give what damages and reads them."""
    from hemocast.dicom import write_nifti

    bases = root / "bases"
    bases.mkdir()
    write_bases(bases)
    hu, _ = head()
    affine = np.diag([PIXEL_MM, PIXEL_MM, STEP_MM, 1.0])
    affine[:3, 3] = -SIZE * PIXEL_MM / 2
    write_nifti(hu, affine, bases / "head.nii.gz")
    with resources.as_file(resources.files("hemocast") / "assets" / "demo_model") as model:
        shutil.copytree(model, bases / "model")
    return Target(partial(warm, bases), partial(input_case, bases, seed), CPU_SECONDS)


if __name__ == "__main__":
    sys.exit(main_of(__doc__, CPU_SECONDS, target))
