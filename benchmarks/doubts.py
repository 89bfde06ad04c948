"""How often each doubt is named: doubts.py OUT.jsonl [N [FIRST]]. A stopped run goes on.

N simulated heads (200), of seeds from FIRST (0) on, as on an ordinary day, predicted whole by the
demonstration model: every doubt and every refusal is a false alarm. Of every fifth head, what each
doubt is for is made: CT numbers shifted and stretched, a header with wrong pixels or wrong slices.
Doubts on heads that lie turned and on half heads are counted by orientation.py and half_heads.py.
And the real head, where HEMOCAST_TEST_DATA has it.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from heads import Row, ordinary_head, rows_of, seeds, share
from orientation import REAL

from hemocast.anatomy import find_brain
from hemocast.dicom import read
from hemocast.errors import HemocastError
from hemocast.model import Model, load_default
from hemocast.volume import Volume


@lru_cache(maxsize=1)
def _model() -> Model:
    return load_default(threads=1)


def _sized(volume: Volume, factors: tuple[float, float, float]) -> Volume:
    """Give a scan voxels of another size, x, y, z."""
    return replace(volume, affine=volume.affine @ np.diag([*factors, 1.0]))


def _shifted(volume: Volume, hu: float) -> Volume:
    return replace(volume, hu=volume.hu + np.float32(hu) * (volume.hu > -200))


def _stretched(volume: Volume, factor: float) -> Volume:
    """Stretch the brain's CT numbers about 30 HU."""
    brain = find_brain(volume).mask
    return replace(
        volume, hu=np.where(brain, 30 + (volume.hu - 30) * np.float32(factor), volume.hu)
    )


MADE: dict[str, tuple[tuple[str, ...], Callable[[Volume], Volume]]] = {
    "CT numbers 14 HU too high": (("brightness", "brighter"), lambda v: _shifted(v, 14)),
    "CT numbers 10 HU too low": (
        ("brightness", "brighter", "brightest"),
        lambda v: _shifted(v, -10),
    ),
    "contrast 3.5 times": (("edges", "patches"), lambda v: _stretched(v, 3.5)),
    "contrast 0.3 times": (("edges", "patches"), lambda v: _stretched(v, 0.3)),
    "pixels 0.75 times": (("brain volume", "of the brain"), lambda v: _sized(v, (0.75, 0.75, 1))),
    "pixels 1.25 times": (
        ("brain volume", "of the brain", "beside the frames", "amount of tissue"),
        lambda v: _sized(v, (1.25, 1.25, 1)),
    ),
    "slices 1.3 times": (("lowest brain", "of the slices"), lambda v: _sized(v, (1, 1, 1.3))),
}
"""What is made, and words of the doubts that it should get."""


def _words(volume: Volume) -> list[str]:
    """Predict, and return the doubts or the code of the refusal."""
    try:
        return list(_model().predict(volume).flags)
    except HemocastError as error:
        return [error.code]


def _doubts(key: str) -> Row:
    head = ordinary_head(int(key))
    head = replace(head, source=replace(head.source, simulated=False))
    row: Row = {"words": _words(head)}
    if int(key) % 5 == 0:
        row["made"] = {name: _words(make(head)) for name, (_, make) in MADE.items()}
    return row


def main() -> None:
    """Count, and print false alarms, then hits."""
    keys = seeds(sys.argv[2:], 200)
    rows = list(rows_of(Path(sys.argv[1]), keys, _doubts))
    kinds = Counter(re.sub(r"[\d.]+", "N", word) for row in rows for word in set(row["words"]))
    print(f"no doubt: {share(sum(not row['words'] for row in rows), len(rows))}")
    for kind, count in kinds.most_common():
        print(f"  {kind}: {share(count, len(rows))}")
    made = [row["made"] for row in rows if "made" in row]
    for name, (told, _) in MADE.items():
        found = [one[name] for one in made]
        hits = sum(any(one in word for one in told for word in words) for words in found)
        refused = Counter(words[0] for words in found if words and words[0].startswith("HC"))
        print(f"{name}: {', '.join(told)} named {share(hits, len(found))}, refused {dict(refused)}")
    if REAL.is_file():
        print(f"real head: {_words(read(REAL))}")


if __name__ == "__main__":
    main()
