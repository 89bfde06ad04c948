from __future__ import annotations

import hashlib
import os
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

from hemocast.errors import ModelCorrupt, ModelNotFound, NotWritable, OutputExists, UsageError
from hemocast.model import Description, load, load_default, load_network

FILES = {"weights.safetensors", "model.onnx", "model.yaml", "card.md"}


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_the_folder_holds_four_files_and_no_pickle(folder):
    assert {path.name for path in folder.iterdir()} == FILES
    for path in folder.iterdir():
        assert not path.read_bytes().startswith((b"\x80", b"PK"))


def test_weights_are_those_of_the_network(folder):
    weights = load_file(folder / "weights.safetensors")
    np.testing.assert_array_equal(weights["head.weight"][0], load(folder).head_weights)
    assert float(weights["head.bias"][0]) == load(folder).description.bias == 0.25


def test_saving_twice_gives_the_same_hash(folder, save, tmp_path):
    assert save(tmp_path / "again").hash == load(folder).hash
    assert save(tmp_path / "renamed", version="0.2").hash != load(folder).hash


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("where", [0.0, 0.37, 0.999])
def test_a_flipped_byte_is_seen_in_every_file(copy, name, where):
    data = bytearray((copy / name).read_bytes())
    data[int(where * len(data))] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ModelCorrupt) as caught:
        load(copy)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", sorted(FILES - {"model.yaml"}))
def test_a_missing_file_is_seen(copy, name):
    (copy / name).unlink()
    with pytest.raises(ModelCorrupt, match=name):
        load(copy)


def _sign(folder: Path, name: str) -> None:
    """Make a changed folder whole again, as somebody who means ill would."""
    text = (folder / "model.yaml").read_bytes()
    plain = yaml.safe_load(text)
    old = plain["files"][name]
    body = text.replace(
        old.encode(), hashlib.sha256((folder / name).read_bytes()).hexdigest().encode()
    )
    body = body[: body.rindex(b"sha256:")]
    (folder / "model.yaml").write_bytes(
        body + f"sha256: {hashlib.sha256(body).hexdigest()}\n".encode()
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(copy, bad):
    """They gave a heatmap of NaN before."""
    weights = load_file(copy / "weights.safetensors")
    _sign(copy, "weights.safetensors")
    load(copy)
    weights["head.weight"][0, 0] = bad
    save_file(weights, copy / "weights.safetensors")
    _sign(copy, "weights.safetensors")
    with pytest.raises(ModelCorrupt, match="no numbers"):
        load(copy)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a system without devices")
@pytest.mark.parametrize("name", sorted(FILES))
def test_devices_pipes_and_folders_in_place_of_a_file_are_refused_at_once(copy, name):
    """A link to ``/dev/zero`` was read without end before, and a pipe waited for."""
    for make in (
        lambda path: path.symlink_to("/dev/zero"),
        os.mkfifo,
        Path.mkdir,
    ):
        (copy / name).unlink()
        make(copy / name)
        with pytest.raises(ModelNotFound if name == "model.yaml" else ModelCorrupt):
            load(copy)
        if (copy / name).is_dir():
            (copy / name).rmdir()
        (copy / name).touch()


def test_a_link_to_a_plain_file_is_followed(copy, tmp_path):
    (copy / "card.md").rename(tmp_path / "card")
    (copy / "card.md").symlink_to(tmp_path / "card")
    assert load(copy).description.name == "tiny"


def test_no_more_of_a_file_is_read_than_any_model_has(copy):
    with (copy / "model.yaml").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelCorrupt, match="larger"):
        load(copy)


def test_no_model_there(tmp_path, copy):
    (copy / "model.yaml").unlink()
    for path in (tmp_path / "nowhere", tmp_path, copy):
        with pytest.raises(ModelNotFound):
            load(path)


def test_a_full_folder_is_not_overwritten(save, tmp_path):
    (tmp_path / "mine.txt").write_text("work")
    with pytest.raises(OutputExists):
        save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failed_save_leaves_nothing(save, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(NotWritable):
        save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_the_card_says_what_it_is_and_carries_the_notes(save, tmp_path):
    save(tmp_path / "model", notes="## Results\nAUC .5")
    text = (tmp_path / "model" / "card.md").read_text()
    assert "demonstration model, trained on simulated scans, not for clinical use" in text
    assert "HT on a simulated follow-up scan" in text
    assert text.endswith("## Results\nAUC .5\n")


def test_the_default_model_loads_or_says_that_it_is_missing():
    try:
        model = load_default()
    except ModelNotFound:
        return
    assert model.description.simulated_training_data


def test_the_demonstration_model_is_small_and_its_weights_are_those_of_its_export():
    """Its network, built from its own description, still computes what its export does."""
    torch = pytest.importorskip("torch")
    from hemocast.nets import build

    model = load_default(threads=1)
    says = model.description
    net = build(says.net, says.prepare.frames, says.prepare.window)
    with resources.as_file(resources.files("hemocast") / "assets" / "demo_model") as folder:
        weights = load_file(folder / "weights.safetensors")
        assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    net.eval()
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (28, 192, 192)), indexing="ij")
    levels = 0.55 + np.random.default_rng(0).normal(0, 0.1, z.shape) - 0.2 * (x > 0.3)
    frames = np.where(z**2 + y**2 + x**2 < 0.8, levels.clip(0, 1), 0).astype(np.float32)[None]
    with torch.inference_mode():
        logit = net(torch.from_numpy(frames))[0].numpy()
    np.testing.assert_allclose(model.logits(frames), logit, atol=1e-4)


def test_a_model_of_version_0_1_keeps_fluid_as_it_did_when_it_was_trained(folder):
    """It says nothing of fluid or relief, and was trained with neither left out nor added."""
    told = load(folder).description.model_dump(mode="json")
    del told["net"]["fluid_hu"], told["net"]["relief"]
    net = Description.model_validate(told).net
    assert (net.fluid_hu, net.relief) == (None, False)


def test_a_model_says_which_pixels_its_mirror_channel_leaves_out(folder):
    assert load(folder).description.net.fluid_hu == 7.5
    assert "fluid_hu: 7.5" in (folder / "model.yaml").read_text()
    network = load(folder).description.network
    assert network is not None
    assert any("fluid 7.5 HU" in layer for layer in network.layers)


@pytest.fixture
def measured(make_stack, tmp_path: Path) -> Path:
    """Return the folder of a support vector machine of voxels and NIHSS."""
    from hemocast.classical.learning import Cohort
    from hemocast.classical.measured import MeasuredModel
    from hemocast.classical.measurements import Measurements, Variable
    from hemocast.classical.recipes import measure
    from hemocast.classical.record import VARIABLES
    from hemocast.classical.svm import learn_svm
    from hemocast.config import NetConfig, PrepareConfig
    from hemocast.model import Calibration, Purpose, Recipe, TrainingFacts, save_measured

    stacks = [make_stack(seed) for seed in range(20)]
    record = np.tile(np.arange(20.0)[:, None] % 2, (1, len(VARIABLES)))
    told = measure(
        ("voxels", "nihss"), lambda: (one.frames for one in stacks), Measurements(VARIABLES, record)
    )
    fitted = learn_svm(Cohort(told, np.arange(20.0) % 2, np.arange(20)))
    recipe = Recipe(
        NetConfig(name="voxels-svm"),
        PrepareConfig(frames=8, size=stacks[0].frames.shape[1], pixel_mm=3),
        Calibration(1.5, -0.2, ((0.1, 0.0), (0.0, 0.2)), 0.4, 20, 18),
        TrainingFacts(data_hash="c" * 64, n_patients=20, n_scans=20, prevalence=0.5),
    )
    assert Variable("voxel 0", "voxel") in told.variables
    model = MeasuredModel(("voxels", "nihss"), fitted)
    save_measured(model, tmp_path / "svm", Purpose("svm", "h", "p"), recipe, stacks[:3])
    return tmp_path / "svm"


def test_a_model_from_measurements_is_numbers_and_a_card(measured: Path, make_stack) -> None:
    from hemocast.classical.measurements import Measurements
    from hemocast.classical.record import VARIABLES
    from hemocast.errors import NoRecord

    assert {path.name for path in measured.iterdir()} == FILES - {"model.onnx"}
    model, stack = load(measured), make_stack(1)
    record = Measurements(VARIABLES, np.ones((1, len(VARIABLES))))
    found = model.predict_stack(stack, scan_id="s", record=record)
    assert found.has_heatmap
    assert found.told == "a plain head CT and the NIHSS"
    assert model.on("cuda").description == model.description
    unknown = Measurements(VARIABLES, np.full((1, len(VARIABLES)), np.nan))
    flags = model.predict_stack(stack, scan_id="s", record=unknown).flags
    assert any(flag.endswith("not known of the patient: NIHSS") for flag in flags)
    with pytest.raises(NoRecord, match="HC505"):
        model.predict_stack(stack, scan_id="s")
    assert "the NIHSS" in (measured / "card.md").read_text()


def test_a_model_from_measurements_is_no_network(measured: Path) -> None:
    with pytest.raises(UsageError, match="voxels-svm, from measurements, and no network"):
        load_network(measured)


def test_a_model_from_measurements_without_its_weights_is_refused(measured: Path) -> None:
    content = (measured / "model.yaml").read_text()
    (line,) = (one for one in content.splitlines() if one.startswith("  weights.safetensors:"))
    (measured / "model.yaml").write_text(content.replace(line + "\n", ""))
    _sign(measured, "card.md")
    with pytest.raises(ModelCorrupt, match="axes"):
        load(measured)
