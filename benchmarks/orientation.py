"""Wrong headers and lying heads: orientation.py turns|lying OUT.jsonl [N [FIRST]].

Heads of seeds from FIRST (0) on. A stopped run goes on.

turns: N simulated heads (20), and the real one where HEMOCAST_TEST_DATA has it, under all 48 ways
to name and flip the header's axes: 24 turns, each also as a mirror image. None but the header as it
is and its plain left-right mirror image may be predicted without a word.

lying: N heads (200) that really lie turned by up to 60 degrees, nodded and tilted by up to 40,
under a right header, against the same head lying straight.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from functools import lru_cache
from itertools import permutations, product
from pathlib import Path

import numpy as np
from heads import Row, ordinary_head, rows_of, seeds, share, spread

from hemocast.anatomy import align, find_brain
from hemocast.anatomy.orientation import rotation_angle
from hemocast.dicom import read
from hemocast.errors import ContentError
from hemocast.simulate.scanner.place import rotation_matrix
from hemocast.volume import Volume

NAMES = [(order, signs) for order in permutations(range(3)) for signs in product((1, -1), repeat=3)]
REAL = Path(os.environ.get("HEMOCAST_TEST_DATA", "../shared/data")) / "ge_head_tilted.zip"


@lru_cache(maxsize=1)
def _head(name: str) -> Volume:
    return read(REAL) if name == "real" else ordinary_head(int(name))


def _turned(key: str) -> Row:
    """Read one head under one header."""
    name, number = key.split(":")
    order, signs = NAMES[int(number)]
    volume = _head(name)
    hu = volume.hu.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    z, y, x = (volume.spacing[axis] for axis in order)
    other = Volume(
        np.ascontiguousarray(hu), np.diag([-x, -y, z, 1.0]), ((),) * len(hu), volume.source
    )
    fits = order == (0, 1, 2) and signs[:2] == (1, 1)
    try:
        said = "silent" if align(other, find_brain(other)).sides_known else "sides not known"
    except ContentError as error:
        said = error.code
    return {"fits": fits, "said": said, "real": name == "real"}


def _lying(key: str) -> Row:
    """Set one lying head upright, and the same head lying straight."""
    degrees = tuple(np.random.default_rng([int(key), 5]).uniform((-40, -40, -60), (40, 40, 60)))
    lying, straight = ordinary_head(int(key), degrees), ordinary_head(int(key), (0.0, 0.0, 0.0))
    row: Row = {"degrees": degrees}
    try:
        found = align(lying, find_brain(lying))
    except ContentError as error:
        return row | {"said": error.code}
    known = align(straight, find_brain(straight)).matrix[:3, :3]
    error = rotation_angle((rotation_matrix(degrees) @ known).T @ found.matrix[:3, :3])
    return row | {"said": "" if found.sides_known else "sides not known", "error": error}


def main() -> None:
    """Run one of the two checks."""
    kind, out = sys.argv[1], Path(sys.argv[2])
    if kind == "turns":
        heads = seeds(sys.argv[3:], 20)
        heads = (["real"] if REAL.is_file() else []) + heads
        keys = [f"{head}:{number}" for head in heads for number in range(len(NAMES))]
        rows = list(rows_of(out, keys, _turned))
        for real in (False, True):
            for fits in (True, False):
                some = [row for row in rows if row["fits"] is fits and row["real"] is real]
                if some:
                    head = "real head" if real else "simulated heads"
                    header = "fitting header" if fits else "wrong header"
                    silent = share(sum(row["said"] == "silent" for row in some), len(some))
                    counts = dict(Counter(row["said"] for row in some))
                    print(f"{head}, {header}: silent {silent}; {counts}")
    else:
        keys = seeds(sys.argv[3:], 200)
        rows = list(rows_of(out, keys, _lying))
        errors = [row["error"] for row in rows if "error" in row]
        print(f"refused {share(len(rows) - len(errors), len(rows))}")
        print(f"off by more than 3 degrees {share(sum(e > 3 for e in errors), len(errors))}")
        print(f"error in degrees: {spread(errors)}")
        print(dict(Counter(row["said"] for row in rows)))


if __name__ == "__main__":
    main()
