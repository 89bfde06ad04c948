"""Three hospitals enrol, get a plan, prepare, learn, and make a model, each in its own folder."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hemocast.config import Config
from hemocast.dataset import Dataset
from hemocast.errors import NotAgreed, NothingThere, OutputExists, TooFewPatients, UsageError
from hemocast.federate import Findings, SignedPlan, Site, federate
from hemocast.federate.folder import (
    ANSWERED,
    COORDINATOR,
    ENROLMENT,
    FINDINGS,
    KEY,
    PLAN,
    RESULT,
    read_site,
    write_result,
)
from hemocast.federate.keys import read_key
from hemocast.files import claim, write_json
from hemocast.model import Purpose, load
from hemocast.model.words import calibration, training_data
from hemocast.pipeline.federate import FederateOptions, plan_of
from hemocast.pipeline.take_part import (
    APP,
    COORDINATOR_KEY,
    USUAL,
    enrol,
    make_model,
    make_plan,
    prepare_hospital,
)
from hemocast.train import STACKS, with_encoder
from hemocast.train.pretrain.encoder import KIND, OWN, take_member
from hemocast.version import SIMULATOR_VERSION

NAMES = ("North", "South-East", "West")
COORDINATOR_FOLDER = "coordinator"
PURPOSE = Purpose("ht", "HT on a later scan", "made-up patients")


def dataset_of(root: Path, hospital: int, patients: int = 24, version: object = None) -> Dataset:
    """Stacks of a block of tissue; every third patient has HT."""
    root.mkdir()
    description = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    simulated = {"Simulated": True, "SimulatorVersion": version or SIMULATOR_VERSION}
    write_json(root / "dataset_description.json", description | simulated)
    rng = np.random.default_rng(hospital)
    stacks = np.zeros((patients, 28, 192, 192), np.uint8)
    stacks[:, 4:24, 40:150, 50:140] = rng.integers(60, 120, (patients, 20, 110, 90))
    np.save(root / STACKS, stacks)
    people = [(f"sub-{hospital}{i:03d}", int(i % 3 == 0)) for i in range(patients)]
    scans = [f"{p}\t{p}_ses-01\t{i}" for i, (p, _) in enumerate(people)]
    for name, head, rows in (
        ("scans", "participant_id\tscan_id\trow", scans),
        ("labels", "participant_id\tlabel", [f"{p}\t{y}" for p, y in people]),
        ("participants", "participant_id\tage", [f"{p}\t70" for p, _ in people]),
    ):
        (root / f"{name}.tsv").write_text("\n".join([head, *rows]) + "\n")
    return Dataset(root)


def findings(_: object, table: object) -> np.ndarray:
    """What an encoder might say, tied to the outcome."""
    label = np.array(table.label)  # type: ignore[attr-defined]
    rng = np.random.default_rng(int(str(table.participant_id[0])[4:]))  # type: ignore[attr-defined]
    return rng.normal(0, 1, (len(label), 8)) + label[:, None] * [1, 1, 0, 0, 0, 0, 0, 0]


@pytest.fixture(scope="module")
def quick() -> Iterator[None]:
    """Spare the encoder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hemocast.train.pretrain.head.findings_of", findings)
        yield


def signed_plan(place: Path, config: Config, **changes: object) -> tuple[SignedPlan, Path]:
    """Enrol three hospitals and sign a plan of them."""
    for name in NAMES:
        enrol(place / name, name)
    plan = plan_of(config, PURPOSE, FederateOptions(rounds=8), SIMULATOR_VERSION)
    wanted = plan.model_copy(update=changes)
    sent = [place / name / ENROLMENT for name in NAMES]
    return make_plan(sent, place / COORDINATOR_FOLDER, wanted), place / COORDINATOR_FOLDER / PLAN


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Return the settings of one member of the encoder that comes along: half the work of two."""
    folder = tmp_path_factory.mktemp("encoder") / "one"
    with claim(folder, KIND) as output:
        take_member(OWN, 1, output)
    return with_encoder(Config(), folder)


@pytest.fixture(scope="module")
def finished(
    config: Config, quick: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SignedPlan, Path]:
    """All of it, up to the result, once."""
    place = tmp_path_factory.mktemp("hospitals")
    signed, plan = signed_plan(place, config)
    for number, name in enumerate(NAMES, start=1):
        dataset = dataset_of(place / f"data-{name}", number)
        ready = prepare_hospital(dataset, place / name, plan, signed.coordinator, config)
        assert (ready.counts.n_patients, ready.counts.n_events, ready.refused) == (24, 8, 0)
    sites = {name: read_site(place / name, name) for name in NAMES}
    write_result(place / COORDINATOR_FOLDER, federate(signed, sites))
    return signed, place


@pytest.fixture
def learned(tmp_path: Path, finished: tuple[SignedPlan, Path]) -> tuple[SignedPlan, Path]:
    """Folders of one's own after all of it."""
    signed, place = finished
    for name in (*NAMES, COORDINATOR_FOLDER):
        shutil.copytree(place / name, tmp_path / name)
    return signed, tmp_path / COORDINATOR_FOLDER / RESULT


def test_each_hospital_makes_the_same_model_which_says_of_whom_it_learned(
    config: Config, tmp_path: Path, learned: tuple[SignedPlan, Path]
) -> None:
    signed, result = learned
    made = [
        make_model(tmp_path / name, result, tmp_path / f"model-{name}", config)
        for name in NAMES[:2]
    ]
    weights = [(tmp_path / f"model-{name}" / "weights.safetensors") for name in NAMES[:2]]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    says = load(tmp_path / "model-North").description
    assert (says.training.n_hospitals, says.training.n_patients) == (3, 72)
    assert says.training.n_scans is None
    assert says.simulated_training_data
    words = training_data(says)
    assert "3 hospitals that gave none of them away: 72 patients, 33.3 % of them with HT" in words
    assert "fitted on the scans of 72 patients, each predicted out of fold" in calibration(says)
    sites = {name: read_site(tmp_path / name, name) for name in NAMES}
    expected = federate(signed, sites).calibration
    assert says.calibration.slope == pytest.approx(expected.slope)
    assert made[0].description.calibration == made[1].description.calibration
    levels = np.load(tmp_path / "North" / USUAL)["levels"]
    frames = levels[:1].astype(np.float32) / 255
    assert np.isfinite(made[0].logits(frames)).all()


def test_the_last_layer_is_what_was_learned(
    config: Config, tmp_path: Path, learned: tuple[SignedPlan, Path]
) -> None:
    from safetensors.numpy import load_file

    signed, result = learned
    make_model(tmp_path / "West", result, tmp_path / "model", config)
    kept = load_file(tmp_path / "model" / "weights.safetensors")
    head = np.array(json.loads(result.read_text())["head"])[0]
    weight = head[:-1] / np.array(signed.plan.spread)
    np.testing.assert_allclose(kept["head.weight"][0], weight, rtol=1e-5)
    bias = head[-1] - weight @ np.array(signed.plan.middle)
    np.testing.assert_allclose(kept["head.bias"], [bias], rtol=1e-4, atol=1e-5)


def test_what_must_stay_is_for_its_owner_only_and_what_is_sent_holds_no_patient(
    tmp_path: Path, learned: tuple[SignedPlan, Path]
) -> None:
    _, result = learned
    for path in (tmp_path / COORDINATOR_FOLDER / COORDINATOR_KEY,
                 *(tmp_path / "North" / name for name in (KEY, FINDINGS, USUAL))):  # fmt: skip
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    sent = (result, tmp_path / "North" / ENROLMENT, tmp_path / COORDINATOR_FOLDER / PLAN)
    assert not any(b"sub-" in path.read_bytes() for path in sent)
    assert (tmp_path / COORDINATOR_FOLDER / APP / "pyproject.toml").is_file()
    assert KEY not in {path.name for path in (tmp_path / COORDINATOR_FOLDER).iterdir()}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("head", lambda said: said["head"][0].__setitem__(0, 5.0)),
        ("patients", lambda said: said["receipts"][0].__setitem__("n_patients", 7)),
        ("who", lambda said: said["receipts"][0].__setitem__("site", "Elsewhere")),
        ("receipts", lambda said: said.__setitem__("receipts", said["receipts"][:1])),
        ("width", lambda said: said.__setitem__("head", [row[:3] for row in said["head"]])),
        ("number", lambda said: said["head"][1].__setitem__(0, float("nan"))),
        ("kind", lambda said: said.pop("calibration")),
    ],
)
def test_a_changed_result_makes_no_model(
    config: Config, where: str, change: object, tmp_path: Path, learned: tuple[SignedPlan, Path]
) -> None:
    _, result = learned
    said = json.loads(result.read_text())
    change(said)  # type: ignore[operator]
    result.write_text(json.dumps(said))
    with pytest.raises(NotAgreed):
        make_model(tmp_path / "North", result, tmp_path / "model", config)
    assert not (tmp_path / "model").exists()


def test_a_plan_that_was_changed_is_of_others_or_signed_by_another_is_refused(
    config: Config, tmp_path: Path, quick: None
) -> None:
    signed, plan = signed_plan(tmp_path, config)
    dataset = dataset_of(tmp_path / "data", 1)
    north = tmp_path / "North"
    with pytest.raises(NotAgreed, match="not as its coordinator signed it"):
        prepare_hospital(dataset, north, plan, "0" * 64, config)
    changed = tmp_path / "changed.json"
    changed.write_text(plan.read_text().replace('"rounds": 8', '"rounds": 9'))
    with pytest.raises(NotAgreed, match="not as its coordinator signed it"):
        prepare_hospital(dataset, north, changed, signed.coordinator, config)
    enrol(tmp_path / "East", "East")
    with pytest.raises(NotAgreed, match="does not name this hospital"):
        prepare_hospital(dataset, tmp_path / "East", plan, signed.coordinator, config)
    with pytest.raises(NothingThere):
        prepare_hospital(dataset, north, tmp_path / "none.json", signed.coordinator, config)
    assert not (north / FINDINGS).exists()
    assert not (north / PLAN).exists()


def test_scans_of_another_kind_and_too_few_patients_are_refused(
    config: Config, tmp_path: Path, quick: None
) -> None:
    signed, plan = signed_plan(tmp_path, config)
    other = dataset_of(tmp_path / "other", 1, version=SIMULATOR_VERSION + 1)
    with pytest.raises(NotAgreed, match="simulated"):
        prepare_hospital(other, tmp_path / "North", plan, signed.coordinator, config)
    few = dataset_of(tmp_path / "few", 2, patients=12)
    with pytest.raises(TooFewPatients, match="12 patients, 4 with HT"):
        prepare_hospital(few, tmp_path / "North", plan, signed.coordinator, config)
    assert not (tmp_path / "North" / FINDINGS).exists()


def test_a_folder_that_answered_keeps_its_plan_and_may_be_prepared_again(
    config: Config, tmp_path: Path, learned: tuple[SignedPlan, Path]
) -> None:
    signed, _ = learned
    north = tmp_path / "North"
    dataset = dataset_of(tmp_path / "data", 1)
    (north / ANSWERED).write_text("digest\n")
    plan = tmp_path / COORDINATOR_FOLDER / PLAN
    before = (north / FINDINGS).read_bytes()
    prepare_hospital(dataset, north, plan, signed.coordinator, config)
    assert (north / FINDINGS).read_bytes() == before
    other = plan_of(config, PURPOSE, FederateOptions(rounds=9), SIMULATOR_VERSION)
    sent = [tmp_path / name / ENROLMENT for name in NAMES]
    second = make_plan(sent, tmp_path / "second", other)
    with pytest.raises(NotAgreed, match="answered under another plan"):
        prepare_hospital(dataset, north, tmp_path / "second" / PLAN, second.coordinator, config)
    assert (north / COORDINATOR).read_text().strip() == signed.coordinator


def test_a_key_stands_for_one_hospital(tmp_path: Path) -> None:
    first = enrol(tmp_path / "North", "North")
    assert enrol(tmp_path / "North", "North") == first
    with pytest.raises(NotAgreed, match="another name"):
        enrol(tmp_path / "North", "South")
    for wrong in ("", "a'b", "-x", "x" * 61, "a/b"):
        with pytest.raises(UsageError, match="cannot be named"):
            enrol(tmp_path / "new", wrong)
    assert not (tmp_path / "new").exists()


def test_a_hospital_whose_key_is_gone_is_not_given_another(tmp_path: Path) -> None:
    enrol(tmp_path / "North", "North")
    sent = (tmp_path / "North" / ENROLMENT).read_bytes()
    (tmp_path / "North" / KEY).unlink()
    with pytest.raises(NothingThere, match="key"):
        enrol(tmp_path / "North", "North")
    assert (tmp_path / "North" / ENROLMENT).read_bytes() == sent
    assert not (tmp_path / "North" / KEY).exists()


def test_another_encoder_than_the_plans_prepares_nothing_and_makes_no_model(
    config: Config, tmp_path: Path, quick: None
) -> None:
    signed, plan = signed_plan(tmp_path, config, encoder="0" * 64)
    dataset, north = dataset_of(tmp_path / "data", 1), tmp_path / "North"
    with pytest.raises(NotAgreed, match="encoder here is not the plan's"):
        prepare_hospital(dataset, north, plan, signed.coordinator, config)
    assert not (north / FINDINGS).exists()
    # As after an update of the program between preparing and the result.
    keys = {name: read_key(tmp_path / name / KEY) for name in NAMES}
    table = SimpleNamespace(label=[i % 2 for i in range(24)], participant_id=["sub-1001"])
    found = Findings(findings(None, table), np.array(table.label), np.arange(24).astype(object))
    sites = {name: Site(name, found, signed, keys[name]) for name in NAMES}
    for name in (PLAN, COORDINATOR):
        shutil.copy(tmp_path / COORDINATOR_FOLDER / name, north)
    write_result(north, federate(signed, sites))
    with pytest.raises(NotAgreed, match="encoder here is not the plan's"):
        make_model(north, north / RESULT, tmp_path / "model", config)
    assert not (tmp_path / "model").exists()


def test_a_plan_needs_hospitals_of_different_names_and_keys(config: Config, tmp_path: Path) -> None:
    signed, plan = signed_plan(tmp_path, config)
    with pytest.raises(OutputExists):
        signed_plan(tmp_path, config)
    north = tmp_path / "North" / ENROLMENT
    with pytest.raises(UsageError, match="two hospitals"):
        make_plan([north, north], tmp_path / "twice", signed.plan)
    copied = tmp_path / "copied.json"
    copied.write_text(north.read_text().replace("North", "Else"))
    with pytest.raises(UsageError, match="key"):
        make_plan([north, copied], tmp_path / "twice", signed.plan)
    with pytest.raises(UsageError, match="1 hospital"):
        make_plan([north], tmp_path / "one", signed.plan)
    with pytest.raises(NotAgreed, match="enrolment"):
        make_plan([north, plan], tmp_path / "none", signed.plan)
    with pytest.raises(NothingThere):
        make_plan([north, tmp_path / "away.json"], tmp_path / "none", signed.plan)
    assert not any((tmp_path / name).exists() for name in ("twice", "one", "none"))
