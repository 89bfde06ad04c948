from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from functools import cache

import numpy as np
import onnxruntime
import pytest

from hemocast.config import PrepareConfig
from hemocast.dicom import write_nifti
from hemocast.errors import BloodPresent, MissingExtra, ModelCorrupt, NotFinite
from hemocast.model import Calibration, heatmap_on_scan, load
from hemocast.model.heatmap import activation_map, enlarge
from hemocast.prepare import prepare
from hemocast.volume import Source, Volume

NOTICE = "demonstration model, trained on simulated scans, not for clinical use"


@pytest.fixture(scope="module")
def model(folder):
    return load(folder, threads=1)


def test_a_prediction_says_everything_it_must(model, make_stack):
    stack = make_stack(7)
    prediction = model.predict_stack(stack, scan_id="sub-1_ses-1")
    calibration = model.description.calibration
    assert prediction.scan_id == "sub-1_ses-1"
    assert prediction.probability == calibration.probability(prediction.logit)
    low, high = prediction.probability_interval
    assert low < prediction.probability < high
    assert prediction.threshold == 0.4
    assert prediction.positive == (prediction.probability >= 0.4)
    assert prediction.stack is stack
    assert (prediction.horizon, prediction.population) == (
        "HT on a simulated follow-up scan",
        "simulated patients",
    )
    assert (prediction.model_name, prediction.model_version) == ("tiny", "0.1")
    assert prediction.model_hash == model.hash
    assert prediction.simulated_training_data
    assert prediction.notice == NOTICE
    with pytest.raises(FrozenInstanceError):
        prediction.logit = 0


def test_a_device_is_chosen_before_the_first_scan(model, make_stack):
    stack = make_stack(7)
    moved = model.on("auto")
    assert moved.hash == model.hash
    found = [one.predict_stack(stack, scan_id="x").logit for one in (model, moved)]
    assert found[0] == pytest.approx(found[1], abs=1e-4)
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(MissingExtra):
            model.on("cuda")


@pytest.mark.parametrize("name", ["ctnet3d", pytest.param("ctnet2d", marks=pytest.mark.slow)])
def test_the_mean_of_the_whole_map_plus_the_bias_is_the_logit(save, tmp_path, make_stack, name):
    model = save(tmp_path / name, name)
    stack = make_stack(7)
    prediction = model.predict_stack(stack, scan_id="x")
    logit, maps = model._session.run(stack.frames[None])
    cam = activation_map(maps[0], model.head_weights)
    bias = model.description.bias
    assert float(cam.mean()) + bias == pytest.approx(float(logit[0]), abs=1e-5)
    assert prediction.logit == pytest.approx(float(logit[0]), abs=1e-5)
    large = enlarge(cam, stack.frames.shape, model.description.map_grid)
    slope = model.description.calibration.slope
    inside, spread = prediction.heatmap[stack.brain], large[stack.brain]
    whole_cm3 = stack.frames.size * math.prod(stack.spacing) / 1000
    np.testing.assert_allclose(inside, spread * slope / whole_cm3, rtol=1e-4, atol=1e-9)


def test_the_heatmap_lies_on_the_stack_and_inside_the_brain(model, make_stack):
    prediction = model.predict_stack(make_stack(7), scan_id="x")
    assert prediction.heatmap.shape == prediction.stack.frames.shape
    assert prediction.heatmap.dtype == np.float32
    assert not prediction.heatmap[~prediction.stack.brain].any()
    assert prediction.heatmap_kind == "class activation map, per frame"


@pytest.mark.slow
def test_the_2d_reading_says_that_one_picture_serves_all_frames(save, tmp_path, make_stack):
    prediction = save(tmp_path / "flat", "ctnet2d").predict_stack(make_stack(7), scan_id="x")
    assert "one picture for all frames" in prediction.heatmap_kind
    both = prediction.stack.brain[3] & prediction.stack.brain[4]
    np.testing.assert_array_equal(prediction.heatmap[3][both], prediction.heatmap[4][both])


def test_many_at_once_give_the_same_logits(model, make_stack):
    stacks = [make_stack(seed) for seed in range(3)]
    logits = model.logits(np.stack([stack.frames for stack in stacks]))
    alone = [model.predict_stack(stack, scan_id="x").logit for stack in stacks]
    np.testing.assert_allclose(logits, alone, atol=1e-6)


def test_a_model_of_patients_scans_is_called_a_research_model(save, tmp_path, make_stack):
    model = save(tmp_path / "m", simulated_training_data=False)
    prediction = model.predict_stack(make_stack(7), scan_id="x")
    assert prediction.notice == "research model, not for clinical use"


def test_the_heatmap_is_carried_to_the_scan(model, make_stack):
    prediction = model.predict_stack(make_stack(7), scan_id="x")
    shape = prediction.stack.frames.shape
    volume = Volume(
        np.zeros(shape, np.float32), prediction.stack.affine, ((),) * shape[0], Source("array", "x")
    )
    np.testing.assert_allclose(heatmap_on_scan(prediction, volume), prediction.heatmap, atol=1e-5)


@pytest.fixture(scope="module")
def head():
    """Return a function that renders a small simulated head, as a Volume."""
    from hemocast.simulate import Protocol, render_head

    @cache
    def _head(**changes) -> Volume:
        return render_head(3, protocol=Protocol(matrix=128), **changes)

    return _head


@pytest.fixture(scope="module")
def whole(save, tmp_path_factory, head):
    """Return a model of a stack of a whole head, untrained; the network is that of ``folder``."""
    settings = PrepareConfig(frames=8, frame_mm=10, size=64, pixel_mm=3)
    stack = prepare(head(), settings)
    return save(
        tmp_path_factory.mktemp("models") / "whole",
        prepare=settings,
        examples=[stack, stack],
    )


def test_a_scan_is_prepared_as_for_training_and_predicted(whole, head):
    volume = head()
    prediction = whole.predict(volume)
    stack = prepare(volume, whole.description.prepare)
    np.testing.assert_array_equal(prediction.stack.frames, stack.frames)
    assert prediction.logit == whole.predict_stack(stack, scan_id="x").logit
    assert prediction.scan_id == prediction.stack.record.input_hash[:16]
    # A hash of the UIDs alone, without a key, would let a list of them be tried.
    assert volume.source.scan_uid not in repr(prediction)
    assert volume.source.scan_uid not in repr(volume.source)
    assert whole.predict(volume, scan_id="sub-1").scan_id == "sub-1"
    assert set(volume.source.doubts) <= set(prediction.flags)
    carried = heatmap_on_scan(prediction, volume)
    assert carried.shape == volume.hu.shape
    inside = carried[np.abs(volume.hu - 32) < 12]
    assert np.abs(inside).mean() > 20 * np.abs(carried[volume.hu < -500]).mean()


def test_the_same_scan_as_a_file_gives_the_same(whole, head, tmp_path):
    volume = head()
    write_nifti(volume.hu, volume.affine, tmp_path / "scan.nii.gz", dtype=np.float32)
    from_file = whole.predict(tmp_path / "scan.nii.gz")
    assert from_file.logit == pytest.approx(whole.predict(volume).logit, abs=1e-3)


def test_a_scan_that_shows_blood_is_refused(whole, head):
    from hemocast.simulate import Bleed, Infarct, Stroke

    bled = head(stroke=Stroke(Infarct("MCA", "left", 120.0), bleed=Bleed("PH1", 30.0)))
    with pytest.raises(BloodPresent, match="mL of blood"):
        whole.predict(bled)


def test_a_real_head_is_predicted(whole, ge_head):
    prediction = whole.predict(ge_head)
    assert 0 < prediction.probability < 1
    assert prediction.heatmap.shape == (8, 64, 64)


def test_loading_and_predicting_import_no_torch_and_open_no_connection(folder):
    code = """
import socket, sys
def refuse(*_, **__): raise AssertionError("network")
socket.socket.connect = refuse
socket.create_connection = refuse
import numpy as np
from hemocast.model import load
from hemocast.volume import Stack, StackRecord
model = load(sys.argv[1])
brain = np.ones((8, 64, 64), bool)
record = StackRecord("a", "b", (0, 0, 0), (0, 0, 0), 1300, 0, 0, 0)
stack = Stack(np.full(brain.shape, 0.5, np.float32), brain, np.eye(4), record)
model.predict_stack(stack, scan_id="x")
print([name for name in ("torch", "lightning", "onnx", "pickle5") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.strip() == "[]"


def test_a_stack_with_nan_or_infinity_is_refused_and_no_case_done(model, make_stack):
    """It gave a probability of ``nan%`` before."""
    stack = make_stack(7)
    for bad in (np.nan, np.inf):
        frames = stack.frames.copy()
        frames[4, 30:34, 30:34] = bad
        with pytest.raises(NotFinite):
            model.predict_stack(replace(stack, frames=frames), scan_id="x")
        with pytest.raises(NotFinite):
            model.logits(np.stack([stack.frames, frames]))


def test_a_calibration_beyond_all_numbers_is_refused(model, make_stack):
    """Infinity less infinity was taken for a variance of 0 before: an interval of no width."""
    beyond = Calibration(1.5, -0.2, ((1e308, -1e308), (-1e308, 1e308)), 0.4, 20, 18)
    for calibration, logit in (
        (beyond, 30.0),
        (Calibration(np.nan, 0, beyond.covariance, 0.4, 20, 18), 1.0),
    ):
        assert np.isnan(calibration.interval(logit)).all()
    description = model.description.model_copy(update={"calibration": calibration})
    with pytest.raises(NotFinite):
        replace(model, description=description).predict_stack(make_stack(7), scan_id="x")


def test_weights_that_fit_another_map_are_refused(model, make_stack):
    with pytest.raises(ModelCorrupt, match="map"):
        replace(model, head_weights=np.ones(3, np.float32)).predict_stack(
            make_stack(7), scan_id="x"
        )
