"""Simulated heads for the checks of reading, and rows that a stopped run goes on from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hemocast.simulate import Person, Protocol, render_head
from hemocast.volume import Volume

Row = dict[str, Any]


def ordinary(seed: int) -> tuple[Person, Protocol]:
    """Draw a patient and how the scan is made, as on an ordinary day; the same seed, the same."""
    rng = np.random.default_rng([seed, 77])
    protocol = Protocol(
        slice_mm=float(rng.choice([1.25, 2.5, 5, 5, 5, 8])),
        rotation_degrees=tuple(rng.normal(0, (9, 4, 7))),
        shift_mm=tuple(rng.uniform(-8, 8, 3)),
        margin_mm=(18.0, 6.0),  # nodding, the cerebellum reaches below the foramen magnum
        field_mm=250.0,
        noise_hu=float(rng.uniform(2.5, 5)),
        holder=bool(rng.random() < 0.5),
    )
    return Person(age=float(rng.uniform(35, 92))), protocol


def ordinary_head(seed: int, degrees: tuple[float, float, float] | None = None) -> Volume:
    """Render a head as `ordinary` draws it; in another pose where one is given."""
    person, protocol = ordinary(seed)
    if degrees is not None:
        protocol = replace(protocol, rotation_degrees=degrees)
    return render_head(seed, person, protocol=protocol)


def seeds(given: list[str], heads: int) -> list[str]:
    """Return the seeds of as many heads as are asked for, from the first on: [N [FIRST]]."""
    first = int(given[1]) if len(given) > 1 else 0
    return [str(seed) for seed in range(first, first + (int(given[0]) if given else heads))]


def part_of(volume: Volume, first: int, last: int) -> Volume:
    """Keep the slices from the first to before the last."""
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, 2] * first
    return replace(
        volume, hu=volume.hu[first:last], affine=affine, slices=volume.slices[first:last]
    )


def rows_of(path: Path, keys: list[str], measure: Callable[[str], Row]) -> Iterator[Row]:
    """Give a row for every key: those kept in the file, then new ones, kept as they come."""
    done = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done[row["key"]] = row
    with path.open("a", encoding="utf-8") as file:
        for key in keys:
            if key not in done:
                done[key] = {"key": key} | measure(key)
                file.write(json.dumps(done[key]) + "\n")
                file.flush()
            yield done[key]


def share(found: int, of: int) -> str:
    """Say a share with its Wilson 95 % interval."""
    from hemocast.stats.proportions import wilson

    low, high = wilson(found, of)
    return f"{found} of {of} ({100 * found / of:.1f} %, {100 * low:.1f} to {100 * high:.1f})"


def spread(values: list[float] | NDArray[np.floating]) -> str:
    """Say median, 95th percentile and largest."""
    return "median {:.1f}, 95 % {:.1f}, largest {:.1f}".format(
        *np.percentile(values, [50, 95, 100])
    )
