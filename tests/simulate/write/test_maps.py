"""Maps beside a simulated cohort: on every scan's grid, called simulated, the same again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from hemocast.config import PrepareConfig
from hemocast.dataset.maps import find_map, read_cells
from hemocast.dicom import read
from hemocast.errors import ConfigError, NothingThere
from hemocast.prepare.cells import CELLS
from hemocast.prepare.eligibility import eligible_stack
from hemocast.simulate import TINY, Truth, simulate_cohort, simulate_maps
from hemocast.train import StackTable

CONFIG = TINY.model_copy(update={"seed": 4, "n_ht": 2, "n_non": 1, "masks": True})


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return simulate_cohort(CONFIG, tmp_path_factory.mktemp("maps") / "scans")


def test_every_scan_has_a_map_on_its_grid_that_says_simulated(scans: Truth) -> None:
    folder = simulate_maps(scans)
    assert folder == scans.folder / "maps"
    for patient in scans.patients:
        for scan in patient.scans:
            image = nibabel.load(find_map(folder, scan.folder))
            assert bytes(image.header["descrip"].item()).startswith(b"SIMULATED")
    first = scans.patients[0].scans[0].folder
    volume = read(scans.dicom / first)
    stack = eligible_stack(volume, PrepareConfig())
    cells, simulated = read_cells(find_map(folder, first), volume, stack)
    assert simulated
    assert 70 < np.nanmedian(cells) < 130


def test_maps_that_are_there_stay(scans: Truth) -> None:
    folder = simulate_maps(scans)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    lost = sorted(before)[0]
    content = lost.read_bytes()
    lost.unlink()
    simulate_maps(scans)
    assert lost.read_bytes() == content
    assert all(path.stat().st_mtime_ns == at for path, at in before.items() if path != lost)


def test_stacks_have_theirs_in_one_array(tmp_path: Path) -> None:
    small = PrepareConfig(size=96, pixel_mm=2)
    config = CONFIG.model_copy(update={"masks": False})
    truth = simulate_cohort(config, tmp_path / "c", format="stacks", prepare=small)
    path = simulate_maps(truth)
    assert path == tmp_path / "c" / "stacks" / "maps.npy"
    before = path.read_bytes()
    simulate_maps(truth)
    assert path.read_bytes() == before
    table = StackTable.of_folder(tmp_path / "c" / "stacks")
    assert np.load(path).shape == (len(table.open()), *CELLS)
    assert table.maps().n == len(table)


def test_without_masks_or_a_cohort_there_is_nothing_to_draw_from(
    scans: Truth, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    shutil.copy(scans.folder / "simulation.yaml", plain)
    bare = replace(scans, config=CONFIG.model_copy(update={"masks": False}), folder=plain)
    with pytest.raises(ConfigError, match="--maps"):
        simulate_maps(bare)
    with pytest.raises(NothingThere):
        simulate_maps(replace(scans, folder=tmp_path / "none"))
