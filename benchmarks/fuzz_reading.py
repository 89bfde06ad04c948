"""Read thousands of damaged DICOM files: each must be read, or refused with a code.

Run: ``python benchmarks/fuzz_reading.py [CASES] [--seed N] [--workers N]``. The cases are drawn
from the seed and their number alone. They run in worker processes, so that a crash inside a codec
costs one case, is seen, and is counted. Exits with 1 when there is a crash, a hang (5 s of CPU or a
minute of waiting), more than 1 GB of memory on top of the worker's own, or an error without a code.

`--case N` reads one case in this process, to look into it. With `--journal FILE` a stopped run goes
on where it was.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
from fuzz_bases import write_bases
from fuzz_harness import Target, main_of, outcome_of
from fuzz_mutations import mutate

CPU_SECONDS = 5
Bases = dict[str, list[Path]]


def read_case(bases: Bases, seed: int, case: int, folder: Path) -> str:
    """Damage one file of one base, read its folder and the file itself; return what came of it."""
    from hemocast.dicom import read

    rng = np.random.default_rng([seed, case])
    name = sorted(bases)[rng.integers(len(bases))]
    paths = bases[name]
    victim = int(rng.integers(len(paths)))
    for index, path in enumerate(paths):
        content = path.read_bytes()
        (folder / path.name).write_bytes(mutate(content, rng) if index == victim else content)

    def read_folder() -> None:
        if not np.isfinite(read(folder).hu).all():
            raise ValueError("not finite")

    outcomes = [
        outcome_of(read_folder),
        outcome_of(lambda: _decode(folder / paths[victim].name)),
    ]
    return next((o for o in outcomes if o.startswith("ESCAPED")), outcomes[0])


def _decode(path: Path) -> None:
    """Decode a file's first frames, whatever is thought of its series."""
    from hemocast.dicom.header.images import DamagedHeader, NotADicomFile, read_images
    from hemocast.dicom.pixels import decode
    from hemocast.errors import MalformedFile

    try:
        images = read_images(path)[:9]
    except (DamagedHeader, NotADicomFile):
        raise MalformedFile("header", "", "") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for image in images:
            decode.check(image.pixels)
            values = decode.stored(image.pixels)
            hu = np.empty(values.shape, np.float32)
            decode.to_hu(image.pixels, values, decode.understand(image.pixels, values), hu)


def warm(bases: Bases, folder: Path) -> None:
    """Read every base twice: codecs are loaded on first use."""
    import hemocast.dicom

    for _ in range(2):
        for paths in bases.values():
            hemocast.dicom.read(paths[0].parent)


def target(root: Path, seed: int) -> Target:
    """Make the bases, and what reads them."""
    bases = write_bases(root)
    return Target(partial(warm, bases), partial(read_case, bases, seed), CPU_SECONDS)


if __name__ == "__main__":
    sys.exit(main_of(__doc__, CPU_SECONDS, target))
