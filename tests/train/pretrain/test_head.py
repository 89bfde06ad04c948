from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from hemocast.classical.harmonise import Combat
from hemocast.classical.measurements import Measurements
from hemocast.config import Config, PrepareConfig, TrainConfig
from hemocast.errors import ConfigError, ModelNotFound, NoRecord, TableError
from hemocast.files import claim
from hemocast.model import Purpose
from hemocast.nets.hemispheres import Member
from hemocast.stats import Cases, auc
from hemocast.train import StackTable, fit, pack, predict_fitted, predict_table
from hemocast.train.pretrain.encoder import KIND, About, encoder_of, write_encoder
from hemocast.train.pretrain.head import Line, encoder_network, findings_of, with_encoder
from hemocast.volume import Stack, StackRecord


@pytest.fixture(scope="module")
def data(cohort) -> StackTable:
    """Return the scans with labels: eleven patients, one of them with two scans."""
    people = [f"sub-{k}" for k in (0, 0, *range(1, 11))]
    scans = [f"{p}_ses-{k:02d}" for k, p in enumerate(people)]
    labels = [int(int(p[4:]) >= 5) for p in people]
    return StackTable(cohort / "stacks" / "stacks.npy", tuple(people), tuple(scans), tuple(labels))


@pytest.fixture(scope="module")
def config(net, tmp_path_factory) -> Config:
    """Return the settings of a training from an encoder that has learned nothing."""
    torch.manual_seed(2)
    folder = tmp_path_factory.mktemp("made") / "encoder"
    with claim(folder, KIND) as output:
        members = [Member(net.stem, net.widths[-1], net.smooth)]
        write_encoder(members, About(net=net, scans=1, steps=1, seed=0, data_hash=""), output)
    plain = Config(prepare=PrepareConfig(frames=8, size=96), train=TrainConfig(threads=1))
    return with_encoder(plain, folder)


def test_only_the_last_layer_is_fitted_and_logits_are_out_of_fold(data, config, tmp_path):
    fitted = fit(data, config, tmp_path)
    before = encoder_network(config).net
    for name, value in before.state_dict().items():
        assert torch.equal(fitted.net.state_dict()[name], value) != name.startswith("head.")
    assert fitted.validation == data
    assert not len(fitted.train)
    own = predict_table(fitted.net, data)
    assert np.abs(own - fitted.validation_logit).max() > 0.01  # nobody judged their own
    findings = findings_of(encoder_of(fitted.net), data)
    line = fitted.net.head.weight.detach().numpy()[0], float(fitted.net.head.bias.item())
    np.testing.assert_allclose(own, findings @ line[0] + line[1], atol=1e-4)


def test_the_cases_nearest_by_their_findings_can_be_named(data, config, tmp_path):
    fitted = fit(data, config, tmp_path / "run")
    zeros = np.zeros((8, 96, 96), np.float32)
    record = StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300, 0, 0, 0)
    examples = [
        Stack(frames, frames > 0, np.diag([-2.0, -2.0, 5.0, 1.0]), record)
        for frames in (*data.frames(), zeros)
    ]
    purpose = Purpose("own", "HT", "nobody", simulated_training_data=True)
    model = pack(fitted, tmp_path / "m", purpose, examples[:3], cases=data)
    own = findings_of(encoder_of(fitted.net), data)
    np.testing.assert_allclose(model.cases.features, own, atol=1e-3)
    near = model.predict_stack(examples[4], scan_id="s").nearest
    assert near.cases[0].scan_id == data.scan_id[4]
    assert near.n_features == own.shape[1]


def test_an_out_of_fold_logit_does_not_hang_on_the_patients_own_label(data, config, tmp_path):
    fitted = fit(data, config, tmp_path)
    # Findings of chance: who judged their own would seem to tell labels far better than this.
    noise = np.random.default_rng(0).normal(size=(40, 8))
    label = np.arange(40) % 2
    line = Line.fitted(noise, label, np.ones(40))
    assert auc(Cases(label, line.logit(noise))) > 0.6
    assert np.isfinite(fitted.validation_logit).all()


def test_a_line_finds_what_matters_and_every_patient_counts_once():
    rng = np.random.default_rng(4)
    findings = rng.normal([3, -1, 0], [2, 1, 0], (3000, 3))
    label = (rng.random(3000) < 1 / (1 + np.exp(-(findings[:, 0] - 3)))).astype(int)
    line = Line.fitted(findings, label, np.ones(3000))
    assert line.weight[0] == pytest.approx(1, abs=0.15)
    assert abs(line.weight[1]) < 0.1
    assert abs(line.weight[2]) < 1e-6  # it never varied
    twice = np.repeat(np.arange(3000), 2)
    again = Line.fitted(findings[twice], label[twice], np.full(6000, 0.5))
    np.testing.assert_allclose(again.weight, line.weight, rtol=1e-6)


def test_with_few_labels_findings_that_say_the_same_share_the_slope():
    rng = np.random.default_rng(5)
    infarct = rng.normal(size=(40, 1))
    findings = infarct + 0.2 * rng.normal(size=(40, 4))
    label = (rng.random(40) < 1 / (1 + np.exp(-2 * infarct[:, 0]))).astype(int)
    weight = Line.fitted(findings, label, np.ones(40)).weight
    assert (weight > 0).all()
    assert weight.max() < 2 * weight.min()


def test_settings_that_do_not_go_with_the_encoder_are_refused(data, config, tmp_path):
    other = config.model_copy(update={"net": config.net.model_copy(update={"dropout": 0.1})})
    with pytest.raises(ConfigError, match="not those"):
        fit(data, other, tmp_path)
    plain = config.model_copy(update={"net": Config().net})
    with pytest.raises(ConfigError, match="ctnet3d"):
        fit(data, plain, tmp_path)
    with pytest.raises(ModelNotFound):
        with_encoder(Config(), tmp_path)


def test_runs_without_an_encoder_keep_their_hash():
    assert "encoder" not in TrainConfig().model_dump()
    assert TrainConfig(encoder="somewhere").hash() != TrainConfig().hash()


@pytest.fixture(scope="module")
def known(data: StackTable, recorded: Callable[[StackTable], StackTable]) -> StackTable:
    """Return the scans with a record."""
    return recorded(data)


def test_clinical_values_enter_the_last_layer_and_are_told(known, data, config, tmp_path):
    fitted = fit(known, config.with_record(), tmp_path / "run")
    alone = fit(data, config, tmp_path / "alone")
    assert fitted.joined is not None
    assert fitted.data_hash != alone.data_hash
    label = np.array(known.label)
    both, image = (Cases(label, one.validation_logit) for one in (fitted, alone))
    assert auc(both) > auc(image)
    own = predict_fitted(fitted, known)
    assert np.abs(own - predict_table(fitted.net, known)).max() > 0.1
    stacks = [
        Stack(
            frames,
            frames > 0,
            np.diag([-1.0, -1.0, 5.0, 1.0]),
            StackRecord("a" * 64, "b" * 64, (0, 0, 0), (0, 0, 0), 1300, 0, 0, 0),
        )
        for frames in known.frames()
    ]
    purpose = Purpose("m", "h", "p")
    model = pack(fitted, tmp_path / "m", purpose, stacks[:2])
    record = known.record()
    logits = model.logits(np.stack([one.frames for one in stacks]), record)
    np.testing.assert_allclose(logits, own, atol=1e-3)
    assert model.needs_record
    place = int(np.flatnonzero(np.isnan(record.values[:, 0]))[0])
    one = record.part(np.array([place]))
    found = model.predict_stack(stacks[place], scan_id="s", record=one)
    assert found.logit == pytest.approx(logits[place], abs=1e-4)
    assert found.has_heatmap
    assert found.told == "a plain head CT and the clinical record"
    assert found.reasons[0].name == "NIHSS"
    assert any("not known of the patient: age" in flag for flag in found.flags)
    with pytest.raises(NoRecord):
        model.predict_stack(stacks[0], scan_id="s")
    nothing = Measurements(record.variables, np.full((1, len(record.variables)), np.nan))
    assert model.predict_stack(stacks[0], scan_id="s", record=nothing).told == found.told
    assert "enters its last layer" in (tmp_path / "m" / "card.md").read_text()


def test_site_effects_are_taken_out_of_what_is_learned_from_alone(data, config, tmp_path):
    sites = {one: "AB"[k % 2] for k, one in enumerate(data.participants)}
    own = replace(data, dataset=tmp_path)
    rows = "\n".join(f"{one}\t{site}" for one, site in sites.items())
    (tmp_path / "participants.tsv").write_text(f"participant_id\tsite\n{rows}\n")
    assert own.sites() == tuple(sites[one] for one in own.participant_id)
    asked = config.model_copy(update={"train": config.train.model_copy(update={"harmonise": True})})
    fitted, plain = fit(own, asked, tmp_path / "with"), fit(own, config, tmp_path / "without")
    findings = findings_of(encoder_of(fitted.net), own)
    adjusted = Combat.learned(findings, own.sites()).adjusted(findings, own.sites())
    line = Line.fitted(adjusted, np.array(own.label), own.patient_weights().astype(float))
    np.testing.assert_allclose(fitted.net.head.weight.detach().numpy()[0], line.weight, rtol=1e-4)
    assert not torch.equal(fitted.net.head.weight, plain.net.head.weight)
    # Who is asked about enters as they are: the network itself is the same function of findings.
    expected = findings @ line.weight + line.bias
    np.testing.assert_allclose(predict_table(fitted.net, own), expected, atol=1e-3)

    (tmp_path / "participants.tsv").write_text("participant_id\tsite\nsub-0\tA\n")
    with pytest.raises(TableError, match="without a site"):
        fit(own, asked, tmp_path / "third")


def test_site_effects_cannot_be_taken_out_of_pixels(data, net, tmp_path):
    asked = Config(net=net, train=TrainConfig(harmonise=True))
    with pytest.raises(ConfigError, match="pixels"):
        fit(data, asked, tmp_path)
