"""Maps of one scan by several methods: on the lesion's side, on the scan's grid, none over ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemocast.classical.images import histograms_of
from hemocast.classical.learning import Cohort
from hemocast.classical.logistic import learn_ridge
from hemocast.classical.measured import MeasuredModel
from hemocast.config import NetConfig, PrepareConfig
from hemocast.dicom import write_nifti
from hemocast.errors import OutputExists, UsageError
from hemocast.model import (
    Calibration,
    Model,
    Prediction,
    Purpose,
    Recipe,
    TrainingFacts,
    save_measured,
)
from hemocast.pipeline.explain import explain_scan
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, render_head
from hemocast.volume import Stack, Volume

METHODS = ("cam", "grad-cam")


@pytest.fixture(scope="module")
def volume() -> Volume:
    """Return a head with a plain infarct on the left."""
    stroke = Stroke(Infarct("MCA", "left", 120.0), Edema(0.15, 8.0))
    return render_head(4, Person(70), stroke, protocol=Protocol(noise_hu=3.0))


@pytest.fixture(scope="module")
def asked() -> list[Stack]:
    """Stacks that the model was asked about while `explained` was made."""
    return []


@pytest.fixture(scope="module")
def explained(
    volume: Volume, asked: list[Stack], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Prediction]:
    """Return what explaining it wrote, and the prediction."""
    folder = tmp_path_factory.mktemp("explained")
    write_nifti(volume.hu, volume.affine, folder / "head.nii.gz", description="SIMULATED")
    predict_stack = Model.predict_stack

    def noted(model: Model, stack: Stack, **more) -> Prediction:
        asked.append(stack)
        return predict_stack(model, stack, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Model, "predict_stack", noted)
        prediction, _ = explain_scan(folder / "head.nii.gz", None, METHODS, folder / "out")
    return folder / "out", prediction


@pytest.fixture(scope="module")
def out(explained: tuple[Path, Prediction]) -> Path:
    """Return what explaining it wrote."""
    return explained[0]


def test_the_table_names_the_side_of_the_infarct(out: Path) -> None:
    table = pd.read_csv(out / "heatmaps.csv").set_index("method")
    assert tuple(table.index) == METHODS
    np.testing.assert_allclose(table["evidence_right"] + table["evidence_left"], 1, atol=1e-3)
    assert (table["evidence_left"] > 0.7).all()
    # Negative for this network: a grey block lacks the contrast whose loss it knows infarcts by.
    assert np.isfinite(table["insertion_minus_deletion"]).all()
    assert table["agreement_with_cam"]["cam"] == pytest.approx(1)


@pytest.mark.parametrize("method", METHODS)
def test_maps_lie_on_the_scan_s_grid_and_pictures_can_be_opened(
    method: str, out: Path, volume: Volume
) -> None:
    values = nib.nifti1.load(out / f"heatmap-{method}.nii.gz").get_fdata()
    assert values.shape == volume.hu.shape[::-1]
    x = np.argwhere(values == values.max())[0] @ np.eye(3)[0]
    place = nib.nifti1.load(out / f"heatmap-{method}.nii.gz").affine[0] @ [x, 0, 0, 1]
    assert place < 0, "left is negative in RAS+"
    with Image.open(out / f"montage-{method}.png") as picture:
        assert min(picture.size) > 500


def test_the_model_is_asked_for_its_map_once(
    explained: tuple[Path, Prediction], asked: list[Stack]
) -> None:
    """The method cam asked a second time for the map that the prediction holds."""
    assert [stack is explained[1].stack for stack in asked] == [True]


def test_a_model_that_looks_at_no_places_has_no_map_of_its_own(
    explained: tuple[Path, Prediction], tmp_path: Path
) -> None:
    """It was a file of zeros, and its picture was called a class activation map."""
    frames = np.random.default_rng(0).random((20, 4, 32, 32)).astype(np.float32)
    cohort = Cohort(histograms_of(frames), np.arange(20.0) % 2, np.arange(20))
    recipe = Recipe(
        NetConfig(name="histogram-ridge"),
        PrepareConfig(),
        Calibration(1.0, 0.0, ((0.1, 0.0), (0.0, 0.2)), 0.5, 20, 20),
        TrainingFacts(data_hash="c" * 64, n_patients=20, n_scans=20, prevalence=0.5),
    )
    out, prediction = explained
    fitted = MeasuredModel(("histogram",), learn_ridge(cohort))
    save_measured(fitted, tmp_path / "model", Purpose("m", "h", "p"), recipe, [prediction.stack])
    scan, own = out.parent / "head.nii.gz", tmp_path / "model"
    _, said = explain_scan(scan, own, ["cam"], tmp_path / "out")
    assert not (tmp_path / "out" / "heatmap-cam.nii.gz").exists()
    assert (tmp_path / "out" / "montage-cam.png").is_file()
    assert said[0].right is None
    with pytest.raises(UsageError, match="no network"):
        explain_scan(scan, own, ["grad-cam"], tmp_path / "other")


def test_a_changed_map_is_not_written_over(out: Path, tmp_path: Path) -> None:
    shutil.copytree(out, tmp_path / "out")
    changed = tmp_path / "out" / "montage-cam.png"
    changed.write_text("mine")
    with pytest.raises(OutputExists):
        explain_scan(out.parent / "head.nii.gz", None, ["cam"], tmp_path / "out")
    assert changed.read_text() == "mine"
