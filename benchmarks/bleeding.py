"""Say where blood lies in simulated heads into which it was put.

    python benchmarks/bleeding.py OUT.jsonl [--heads N] [--seed S]

Every fifth head without blood, the others with 1 to 40 mL in tissue, ventricles or the subarachnoid
space, or a layer of 4 to 12 mm under the dura, drawn by `tissue_heads` and scanned by the full
simulated scanner: none was used to train the tissue map. Stops and goes on; ``--summary`` prints.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from heads import Row, rows_of, share
from numpy.random import SeedSequence
from tissue_heads import bled, bled_ml, draw_head, draw_protocol, scanned

from hemocast.anatomy import align, find_brain
from hemocast.errors import HemocastError
from hemocast.signs.bleeding import measure_bleeding

PLACES = ("parenchyma", "ventricle", "subdural", "subarachnoid", None)
ROOM_OF = {"parenchyma": "parenchyma", "ventricle": "ventricles", "subarachnoid": "subarachnoid"}


def head_of(seed: int) -> Row:
    """Draw a head, put blood into it, scan it and measure."""
    rng = np.random.default_rng(SeedSequence([seed, 91]))
    head, place = draw_head(rng, stroke=False), PLACES[seed % len(PLACES)]
    row: Row = {"place": place}
    if place is not None:
        size = rng.uniform(4, 12) if place == "subdural" else np.exp(rng.uniform(0, np.log(40)))
        try:
            head = bled(rng, head, place, float(size))
        except ValueError:
            return row | {"refused": "the head holds no such place"}
    row["ml"] = bled_ml(head) if place else 0.0
    case = scanned(seed, head, draw_protocol(rng, None))
    try:
        brain = find_brain(case.volume)
        found = measure_bleeding(case.volume, brain, align(case.volume, brain))
    except HemocastError as error:
        return row | {"refused": error.code}
    if found is None:
        return row | {"refused": "not measured"}
    pieces = [{"room": one.room, "ml": one.volume_ml, "side": one.side, **one.evidence}
              for one in found.pieces]  # fmt: skip
    return row | {"pieces": pieces, "rim": found.rim_slice is not None}


def summary(rows: list[Row]) -> None:
    """Print how often blood is seen, named rightly, and how its volume is measured."""
    done = [row for row in rows if "pieces" in row]
    print(f"{len(rows)} heads, {len(rows) - len(done)} not measured")
    for place in PLACES:
        own = [row for row in done if row["place"] == place]
        seen = [row for row in own if row["pieces"]]
        if not own:
            continue
        print(f"{place or 'no blood'}: pieces in {share(len(seen), len(own))}, "
              f"a layer doubted in {share(sum(row['rim'] for row in own), len(own))}")  # fmt: skip
        if place not in ROOM_OF or len(seen) < 2:
            continue
        right = sum(row["pieces"][0]["room"] == ROOM_OF[place] for row in seen)
        ratio = [np.log(sum(p["ml"] for p in row["pieces"]) / row["ml"]) for row in seen]
        low, high = np.exp(np.mean(ratio) + 1.96 * np.std(ratio, ddof=1) * np.array([-1, 1]))
        print(f"  named rightly {share(right, len(seen))}; volume {np.exp(np.mean(ratio)):.2f} "
              f"times the truth ({low:.2f} to {high:.2f})")  # fmt: skip
        for row in own:
            parts = [(one["room"], round(one["ml"], 1)) for one in row["pieces"]]
            print(f"    {row['ml']:.1f} mL: {parts}")


def main() -> None:
    """Measure heads that are not in the file yet, and print what it holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=60)
    parser.add_argument("--seed", type=int, default=77000)
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    keys = [str(asked.seed + k) for k in range(asked.heads)]
    if asked.summary:
        keys = keys[: len(asked.out.read_text(encoding="utf-8").splitlines())]
    summary(list(rows_of(asked.out, keys, lambda key: head_of(int(key)))))


if __name__ == "__main__":
    main()
