from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from hemocast.config import Config
from hemocast.errors import OutputExists, TooFewPatients
from hemocast.stats import Cases, auc
from hemocast.train import EpochRecord, Fitted, calibration_of, fit, predict_table
from hemocast.train.module import bf16_is_fast

FILES = ["refit.ckpt", "refit.csv", "state.ckpt", "state.csv"]

KILLED = """
import json, os, signal, sys
from pathlib import Path
from hemocast.config import Config
from hemocast.train import StackTable, fit

settings, table, folder, stage = map(Path, sys.argv[1:])

def kill(done, total, last):
    if (folder / f"{stage}.csv").is_file() and last is not None and last.epoch >= 1:
        os.kill(os.getpid(), signal.SIGKILL)

array, *columns = json.loads(table.read_text())
config = Config.model_validate_json(settings.read_text())
fit(StackTable(Path(array), *map(tuple, columns)), config, folder, progress=kill)
"""


def changed(config: Config, **train) -> Config:
    return config.model_copy(update={"train": config.train.model_copy(update=train)})


def same(one: Fitted, other: Fitted) -> bool:
    pairs = zip(one.net.state_dict().values(), other.net.state_dict().values(), strict=True)
    told = one.history == other.history and one.refit == other.refit
    return told and all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture(scope="module")
def whole(table, config, tmp_path_factory) -> Fitted:
    return fit(table, config, tmp_path_factory.mktemp("whole"))


def test_it_learns_what_is_easy_to_see(table, config, tmp_path):
    settings = changed(config, epochs=20, learning_rate=0.03, average=0.5, augment=False)
    fitted = fit(table, settings, tmp_path)
    assert auc(Cases(np.array(table.label), predict_table(fitted.net, table))) > 0.9
    assert fitted.history[-1].train_loss < fitted.history[0].train_loss


def test_no_patient_is_in_both_inner_parts(whole, table):
    train, held = set(whole.train.participants), set(whole.validation.participants)
    assert not train & held
    assert train | held == set(table.participant_id)


def test_validation_logits_are_of_a_network_that_had_not_seen_those_patients(
    whole, table, config, tmp_path
):
    before = fit(table, changed(config, refit=False), tmp_path)
    held = table.of(before.validation.participants)
    np.testing.assert_allclose(before.validation_logit, predict_table(before.net, held), atol=1e-5)
    assert np.array_equal(whole.validation_logit, before.validation_logit)
    assert whole.history == before.history
    assert before.refit == ()


def test_all_patients_are_learned_from_for_the_chosen_number_of_epochs(
    whole, table, config, tmp_path
):
    assert len(whole.refit) == whole.best_epoch
    assert all(record.validation_loss is None for record in whole.refit)
    held = whole.validation.participants
    named = fit(table, config, tmp_path / "named", validation=held)
    flipped = tuple(
        1 - label if patient in held else label
        for patient, label in zip(table.participant_id, table.label, strict=True)
    )
    other = fit(replace(table, label=flipped), config, tmp_path / "flipped", validation=held)
    assert other.history[0].train_loss == named.history[0].train_loss
    assert other.refit[0].train_loss != named.refit[0].train_loss


def test_every_epoch_is_recorded_beside_the_state(table, config, tmp_path):
    fitted = fit(table, config, tmp_path)
    for name, records in (("state", fitted.history), ("refit", fitted.refit)):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [int(row["epoch"]) for row in rows] == [record.epoch for record in records]
        losses = [float(row["train_loss"]) for row in rows]
        assert losses == pytest.approx([record.train_loss for record in records])
        assert all(row["precision"] in ("bf16", "float32") for row in rows)
        assert [row["validation_loss"] == "" for row in rows] == [name == "refit"] * len(rows)


def test_the_best_epoch_is_the_one_of_lowest_validation_loss(whole):
    losses = [record.validation_loss for record in whole.history]
    assert whole.best_epoch == int(np.argmin(losses)) + 1


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(
    whole, table, config, tmp_path
):
    assert same(whole, fit(table, config, tmp_path / "again"))
    other = fit(table, changed(config, seed=1), tmp_path / "other")
    assert not same(whole, other)
    assert other.validation.participants != whole.validation.participants


@pytest.mark.parametrize("after", [1, pytest.param(2, marks=pytest.mark.slow), 3])
def test_an_interrupted_run_resumes_to_the_same_result(whole, table, config, tmp_path, after):
    def interrupt(done: int, total: int, last: EpochRecord | None) -> None:
        if last is not None and last.epoch == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(table, config, tmp_path, progress=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.ckpt", "state.csv"]
    assert same(whole, fit(table, config, tmp_path))


@pytest.mark.parametrize("stage", ["state", pytest.param("refit", marks=pytest.mark.slow)])
def test_a_killed_run_resumes_to_the_same_result(whole, table, config, tmp_path, stage):
    """Killed without a chance to clean up, while an epoch runs."""
    settings = tmp_path / "settings.json"
    settings.write_text(config.model_dump_json())
    columns = [table.participant_id, table.scan_id, table.label]
    (tmp_path / "table.json").write_text(json.dumps([str(table.array), *columns]))
    folder = tmp_path / "run"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, settings, tmp_path / "table.json", folder, stage],
        timeout=300,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (folder / f"{stage}.ckpt").is_file()
    assert same(whole, fit(table, config, folder))
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_early_stopping_counts_on_across_an_interruption(table, config, tmp_path):
    settings = changed(config, epochs=20, patience=2, learning_rate=0.1, average=0.0)
    straight = fit(table, settings, tmp_path / "straight")
    assert len(straight.history) == straight.best_epoch + 2 < 20

    def interrupt(done: int, total: int, last: EpochRecord | None) -> None:
        if last is not None and last.epoch == straight.best_epoch + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(table, settings, tmp_path / "cut", progress=interrupt)
    assert same(straight, fit(table, settings, tmp_path / "cut"))


def test_a_finished_run_is_read_back_without_training(table, config, tmp_path):
    first = fit(table, config, tmp_path)
    calls: list[int] = []
    again = fit(table, config, tmp_path, progress=lambda done, *_: calls.append(done))
    assert same(first, again)
    assert calls == []


def test_a_run_of_other_settings_is_not_overwritten(table, config, tmp_path):
    fit(table, changed(config, epochs=1), tmp_path)
    with pytest.raises(OutputExists):
        fit(table, config, tmp_path)


def test_a_run_that_a_version_before_began_is_refused_and_stays(table, config, tmp_path):
    fit(table, changed(config, epochs=1), tmp_path)
    path = tmp_path / "state.ckpt"
    content = torch.load(path, weights_only=True)
    content["stamp"] = content["stamp"].removesuffix(" joint")
    torch.save(content, path)
    before = path.read_bytes()
    with pytest.raises(OutputExists):
        fit(table, changed(config, epochs=1), tmp_path)
    assert path.read_bytes() == before


def test_progress_counts_every_batch(table, config, tmp_path):
    seen: list[tuple[int, int]] = []
    fitted = fit(
        table, config, tmp_path, progress=lambda done, total, last: seen.append((done, total))
    )
    total = seen[0][1]
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert {whole for _, whole in seen} == {total}
    assert seen[-1] == (total, total)
    assert len(fitted.history) == 4


def test_bfloat16_is_for_training_steps_alone(whole, table, config, tmp_path):
    fitted = fit(table, changed(config, precision="bf16", epochs=2), tmp_path / "bf16")
    exact = fit(table, changed(config, precision="float32", epochs=2), tmp_path / "float32")
    assert not same(fitted, exact)
    assert all(value.dtype == torch.float32 for value in fitted.net.state_dict().values())
    held = fitted.validation
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.from_numpy(fitted.validation_logit),
        torch.tensor(held.label, dtype=torch.float32),
        torch.from_numpy(held.patient_weights() / held.patient_weights().mean()),
    )
    best = fitted.history[fitted.best_epoch - 1].validation_loss
    assert float(loss) == pytest.approx(best, abs=1e-5)


def test_a_run_goes_on_in_the_precision_it_began_with(table, config, tmp_path):
    settings = changed(config, epochs=2, refit=False)

    def interrupt(done: int, total: int, last: EpochRecord | None) -> None:
        if last is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(table, settings, tmp_path, progress=interrupt)
    content = torch.load(tmp_path / "state.ckpt", weights_only=True)
    began = "bf16" if bf16_is_fast() else "float32"
    assert content["course"]["precision"] == began
    other = {"bf16": "float32", "float32": "bf16"}[began]
    content["course"]["precision"] = other
    torch.save(content, tmp_path / "state.ckpt")
    fit(table, settings, tmp_path)
    with (tmp_path / "state.csv").open(encoding="utf-8") as file:
        assert {row["precision"] for row in csv.DictReader(file)} == {other}


def test_a_class_without_patients_is_refused(table, config, tmp_path):
    negative = [p for p, label in table.patient_labels().items() if label == 0]
    with pytest.raises(TooFewPatients):
        fit(table.of(negative), config, tmp_path)


def test_importing_the_room_imports_neither_torch_nor_lightning():
    code = (
        "import sys, hemocast.train, hemocast.nets;"
        "print('torch' in sys.modules, 'lightning' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_refit_of_fewer_epochs_is_calibrated_out_of_fold(table, config, tmp_path):
    """Its logits have another spread than those of the stage that chose the epochs."""
    seen: list[int] = []
    settings = changed(config, epochs=20, patience=1, learning_rate=0.1, average=0.0)
    fitted = fit(table, settings, tmp_path / "short", progress=lambda done, *_: seen.append(done))
    assert fitted.best_epoch < 20
    assert len(fitted.train) == 0
    assert fitted.validation.scan_id == table.scan_id
    assert len(list((tmp_path / "short").glob("fold-*.csv"))) == 3
    assert np.isfinite(fitted.validation_logit).all()
    again = fit(table, settings, tmp_path / "short")
    assert np.array_equal(again.validation_logit, fitted.validation_logit)
    # Of networks that had not seen the scan: not those of the network that is kept.
    assert not np.isclose(fitted.validation_logit, predict_table(fitted.net, table)).any()
    assert seen[0] >= 0
    assert seen == sorted(set(seen))


def test_a_rare_class_counts_as_much_as_the_other_and_probabilities_stay_those_of_the_patients(
    table, config, tmp_path
):
    rare = [p for p, label in sorted(table.patient_labels().items()) if label][4:]
    few = table.of(set(table.participants) - set(rare))
    assert np.mean(list(few.patient_labels().values())) == 0.25
    logits, calibrated = {}, {}
    for rule in ("none", "balanced"):
        settings = changed(config, class_weights=rule, epochs=6, average=0.0, refit=False)
        fitted = fit(few, settings, tmp_path / rule)
        logits[rule] = predict_table(fitted.net, few).mean()
        curve, held = calibration_of(fitted), fitted.validation
        chances = [curve.probability(float(one)) for one in fitted.validation_logit]
        calibrated[rule] = np.average(chances, weights=held.patient_weights())
        assert curve.prevalence == np.mean(list(held.patient_labels().values()))
    assert logits["balanced"] > logits["none"] + 0.3
    assert calibrated["balanced"] == pytest.approx(calibrated["none"], abs=0.03)
