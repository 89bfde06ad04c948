"""A model from measurements learns from the same table as a network, and is calibrated on it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.classical.harmonise import Combat
from hemocast.classical.images import VOXELS
from hemocast.classical.measured import MeasuredModel
from hemocast.classical.recipes import RECIPES
from hemocast.classical.signs import NAMES, TABLE
from hemocast.config import Config
from hemocast.errors import NoMap, NoSigns, TableError, TooFewPatients
from hemocast.model import Purpose
from hemocast.stats import Cases, auc
from hemocast.train import StackTable, calibration_of, fit, pack, predict_table


@pytest.fixture
def known(table: StackTable, tmp_path: Path) -> StackTable:
    """Return the table with a clinical record that tells the label to a degree."""
    rows = ["participant_id\tnihss\tage"]
    for place, patient in enumerate(sorted(set(table.participant_id))):
        label = table.patient_labels()[patient]
        rows.append(f"{patient}\t{4 + 6 * label + place % 7}\t{60 + place % 11}")
    (tmp_path / "clinical.tsv").write_text("\n".join(rows) + "\n")
    return replace(table, dataset=tmp_path)


@pytest.mark.parametrize("name", ["histogram-ridge", "clinical-ridge", "voxels-svm"])
def test_it_goes_the_way_of_a_network(
    name: str, known: StackTable, config: Config, stacks, tmp_path: Path
) -> None:
    settings = config.with_net(name)
    fitted = fit(known, settings, tmp_path / "run")
    assert isinstance(fitted.net, MeasuredModel)
    assert len(fitted.validation) == len(known)
    assert not len(fitted.train)
    out_of_fold = Cases(known.label, fitted.validation_logit)
    assert auc(out_of_fold) > 0.7
    assert calibration_of(fitted).slope > 0
    model = pack(fitted, tmp_path / "m", Purpose("m", "h", "p"), stacks[:4])
    logits = model.logits(np.stack([one.frames for one in stacks]), known.record())
    np.testing.assert_allclose(logits, predict_table(fitted.net, known), atol=1e-4)
    assert fitted.parameters is None


def test_a_model_of_maps_finds_them_beside_the_stacks(
    known: StackTable, config: Config, stacks, tmp_path: Path
) -> None:
    settings = config.with_net("perfusion-regression")
    folder = tmp_path / "own"
    folder.mkdir()
    shutil.copy(known.array, folder)
    mine = replace(known, array=folder / known.array.name)
    with pytest.raises(NoMap, match="HC506"):
        fit(mine, settings, tmp_path / "none")
    rng = np.random.default_rng(0)
    maps = (100 + 10 * rng.standard_normal((len(known), *VOXELS))).astype(np.float32)
    maps[np.array(known.label) == 1, 4:8, 8:14, 8:14] += 100
    np.save(folder / "maps.npy", maps)
    fitted = fit(mine, settings, tmp_path / "run")
    assert auc(Cases(known.label, fitted.validation_logit)) > 0.9
    assert fitted.data_hash == mine.content_hash(None, mine.maps())
    model = pack(fitted, tmp_path / "m", Purpose("m", "h", "p"), stacks[:4])
    frames = np.stack([one.frames for one in stacks])
    logits = model.logits(frames, None, mine.maps())
    np.testing.assert_allclose(logits, predict_table(fitted.net, mine), atol=1e-4)
    found = model.predict_stack(stacks[1], scan_id="s", cells=maps[1])
    assert found.has_heatmap
    assert found.told == "a plain head CT and a co-registered map"
    assert {path.name for path in (tmp_path / "m").iterdir()} == {"card.md", "model.yaml"}
    np.save(folder / "maps.npy", maps[1:])
    with pytest.raises(TableError, match=r"maps\.npy"):
        mine.maps()


@pytest.fixture
def blank(tmp_path: Path) -> StackTable:
    """Return 120 empty stacks, half of them with HT, of which nothing else is known."""
    n = 120
    np.save(tmp_path / "stacks.npy", np.zeros((n, 2, 4, 4), np.uint8))
    patients = tuple(f"sub-{at:03d}" for at in range(n))
    scans = tuple(f"{one}_ses-01" for one in patients)
    return StackTable(tmp_path / "stacks.npy", patients, scans, tuple(at % 2 for at in range(n)))


def write_signs(table: StackTable) -> None:
    """Write signs that tell the label to a degree beside the stacks."""
    path = table.array.parent / TABLE
    path.parent.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = [",".join(("scan_id", "status", *NAMES))]
    for scan, label in zip(table.scan_id, table.label, strict=True):
        values = rng.normal(10 + 8 * label, 3, len(NAMES)).round(2)
        rows.append(",".join((scan, "done", *map(str, values))))
    path.write_text("\n".join(rows) + "\n")


def test_site_effects_are_learned_anew_in_every_fold_of_those_who_are_learned_from(
    config: Config, blank: StackTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_signs(blank)
    site = ["North" if at % 3 else "South" for at in range(len(blank))]
    rows = [f"{one}\t{where}" for one, where in zip(blank.participant_id, site, strict=True)]
    (tmp_path / "participants.tsv").write_text("\n".join(["participant_id\tsite", *rows]) + "\n")
    learned, asked = [], []

    class Spy:
        def __init__(self, cohort) -> None:
            learned.append(cohort)

        def risk(self, patients):
            asked.append(patients.values)
            return np.full(len(patients.values), 0.5)

    recipe = replace(RECIPES["signs-additive"], fit=Spy)
    monkeypatch.setitem(RECIPES, recipe.name, recipe)
    settings = config.with_net(recipe.name)
    train = settings.train.model_copy(update={"harmonise": True})
    fit(blank, settings.model_copy(update={"train": train}), tmp_path / "run")
    raw, where = blank.signs().values, np.array(site)
    np.testing.assert_array_equal(np.sort(np.concatenate(asked), 0), np.sort(raw, 0))
    assert len(learned) == 6
    assert {len(one.group) for one in learned} == {96, 120}
    for cohort in learned:
        values, sites = raw[cohort.group], where[cohort.group].tolist()
        expected = Combat.learned(values, sites).adjusted(values, sites)
        np.testing.assert_allclose(cohort.patients.values, expected, rtol=1e-9)


def test_a_model_of_signs_reads_them_from_the_dataset_and_shows_its_curves(
    config: Config, blank: StackTable, stacks, tmp_path: Path
) -> None:
    settings, table = config.with_net("signs-additive"), blank
    with pytest.raises(NoSigns, match="HC507"):
        fit(table, settings, tmp_path / "none")
    write_signs(table)
    fitted = fit(table, settings, tmp_path / "run")
    assert auc(Cases(table.label, fitted.validation_logit)) > 0.9
    model = pack(fitted, tmp_path / "m", Purpose("m", "h", "p"), stacks[:4])
    signs = table.signs().part(np.array([1]))
    found = model.predict_stack(stacks[1], scan_id="s", signs=signs)
    assert found.logit == pytest.approx(predict_table(fitted.net, table)[1], abs=1e-4)
    assert found.told == "signs measured on a plain head CT"
    # All tell the same here: one that adds nothing to the others has no curve.
    assert {"ASPECTS", "acute infarct, mL"} <= {one.name for one in found.reasons}
    assert sum(bool(one.curve) for one in found.reasons) >= len(found.reasons) - 2
    with pytest.raises(NoSigns):
        model.predict_stack(stacks[1], scan_id="s")


def test_the_hash_tells_what_was_known(known: StackTable, config: Config, tmp_path: Path) -> None:
    settings = config.with_net("clinical-ridge")
    before = fit(known, settings, tmp_path / "a").data_hash
    path = known.dataset / "clinical.tsv"  # type: ignore[operator]
    path.write_text(path.read_text().replace("\t60\n", "\t61\n"))
    assert fit(known, settings, tmp_path / "b").data_hash != before
    pictures = config.with_net("histogram-ridge")
    assert fit(known, pictures, tmp_path / "c").data_hash == known.content_hash()


def test_a_model_of_the_scan_alone_reads_no_clinical_table(
    known: StackTable, config: Config, tmp_path: Path
) -> None:
    path = known.dataset / "clinical.tsv"  # type: ignore[operator]
    path.write_text(path.read_text().replace("\t60\n", "\tmany\n"))
    with pytest.raises(TableError):
        known.record()
    fitted = fit(known, config.with_net("histogram-ridge"), tmp_path / "run")
    assert np.isfinite(predict_table(fitted.net, known)).all()


def test_a_handful_is_refused(known: StackTable, config: Config, tmp_path: Path) -> None:
    few = known.of([f"sub-{i:04d}" for i in range(6)])
    with pytest.raises(TooFewPatients):
        fit(few, config.with_net("clinical-ridge"), tmp_path)
