from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from hemocast.config import Config
from hemocast.errors import OutputExists, TooFewPatients
from hemocast.nets import build
from hemocast.stats import Cases, auc
from hemocast.train import EpochRecord, Fitted, fit, predict_table
from hemocast.train.fitting import initialise_head
from hemocast.train.module import Scans
from hemocast.volume import from_levels


def changed(config: Config, **train) -> Config:
    return config.model_copy(update={"train": config.train.model_copy(update=train)})


def same(one: Fitted, other: Fitted) -> bool:
    pairs = zip(one.net.state_dict().values(), other.net.state_dict().values(), strict=True)
    return one.history == other.history and all(torch.equal(a, b) for a, b in pairs)


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


def test_validation_logits_are_those_of_the_returned_network(whole, table):
    logit = predict_table(whole.net, table.of(whole.validation.participants))
    np.testing.assert_allclose(whole.validation_logit, logit, atol=1e-5)


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


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_run_resumes_to_the_same_result(whole, table, config, tmp_path, after):
    def interrupt(done: int, total: int, last: EpochRecord | None) -> None:
        if last is not None and last.epoch == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(table, config, tmp_path, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["state.ckpt"]
    assert same(whole, fit(table, config, tmp_path))


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


def test_progress_counts_every_batch(table, config, tmp_path):
    seen: list[tuple[int, int]] = []
    fitted = fit(
        table, config, tmp_path, progress=lambda done, total, last: seen.append((done, total))
    )
    total = seen[0][1]
    assert seen == [(i + 1, total) for i in range(total)]
    assert len(fitted.history) == 4


def test_a_class_without_patients_is_refused(table, config, tmp_path):
    negative = [p for p, label in table.patient_labels().items() if label == 0]
    with pytest.raises(TooFewPatients):
        fit(table.of(negative), config, tmp_path)


def test_torch_is_left_as_it_was_found(table, config, tmp_path):
    torch.manual_seed(5)
    before = torch.get_num_threads(), torch.get_rng_state()
    fit(table, changed(config, epochs=1), tmp_path)
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert not torch.are_deterministic_algorithms_enabled()


def test_training_is_silent_and_leaves_only_its_state(table, config, tmp_path, capfd):
    fit(table, changed(config, epochs=1), tmp_path)
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == ["state.ckpt"]


def test_importing_the_room_imports_neither_torch_nor_lightning():
    code = (
        "import sys, hemocast.train, hemocast.nets;"
        "print('torch' in sys.modules, 'lightning' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("seed", range(4))
def test_a_fresh_head_points_towards_the_outcome(table, config, seed):
    """Whatever the chance of the first weights: pointing away, faint lesions were not learned."""
    torch.manual_seed(seed)
    net = build(config.net, frames=table.open().shape[1]).eval()
    length = float(net.head.weight.detach().norm())
    frames = torch.from_numpy(from_levels(table.open()[list(table.rows)]))
    with torch.inference_mode():
        channels = net.inputs(frames).numpy()
    label = torch.tensor(table.label, dtype=torch.float32)
    initialise_head(net, Scans(channels, label, torch.ones(len(label))))
    logit = predict_table(net, table)
    assert logit[np.array(table.label) == 1].mean() > logit[np.array(table.label) == 0].mean()
    assert float(net.head.weight.detach().norm()) == pytest.approx(length, rel=1e-5)
    assert logit.mean() == pytest.approx(0, abs=1e-4)
