"""Every patient is predicted once, by a network that never saw them; a stopped run goes on."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig
from hemocast.dataset import Dataset
from hemocast.errors import OutputExists, TooFewPatients
from hemocast.files import write_json
from hemocast.pipeline.crossval import PREDICTIONS, CrossOptions, cross_validate
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
from hemocast.train import STACKS

pytestmark = pytest.mark.usefixtures("undrawn")

PATIENTS = [f"sub-{i:02d}" for i in range(16)]
CONFIG = Config(
    prepare=PrepareConfig(frames=8, size=64),
    net=NetConfig(pool=2, smooth=3, stem=8, widths=(8,)),
    train=TrainConfig(epochs=2, threads=1, validation_fraction=0.3),
)
TWO = CrossOptions(folds=2, name="mine")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Sixteen patients as stacks, the first with two scans; every second has HT."""
    root = tmp_path_factory.mktemp("cohort") / "stacks"
    root.mkdir()
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (8, 64, 64)), indexing="ij")
    levels = np.random.default_rng(0).normal(140, 15, (17, *z.shape))
    inside = z**2 + y**2 + x**2 < 0.8
    np.save(root / STACKS, np.where(inside, levels, 0).astype(np.uint8))
    scans = [f"{p}\t{p}_ses-01\t{i}" for i, p in enumerate(PATIENTS)]
    scans.append(f"{PATIENTS[0]}\t{PATIENTS[0]}_ses-02\t16")
    (root / "scans.tsv").write_text("\n".join(["participant_id\tscan_id\trow", *scans]))
    labels = [f"{p}\t{i % 2}" for i, p in enumerate(PATIENTS)]
    (root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]))
    return Dataset(root)


@pytest.fixture(scope="module")
def whole(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "cv"
    cross_validate(dataset, CONFIG, out, TWO)
    return out


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / PREDICTIONS).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_scan_is_predicted_once_and_a_patients_scans_in_one_fold(whole: Path) -> None:
    found = [row for row in rows(whole) if row["scan_id"] != "all"]
    assert len(found) == len({row["scan_id"] for row in found}) == 17
    folds = {patient: set() for patient in PATIENTS}
    for row in found:
        folds[row["participant_id"]].add(row["fold"])
        assert int(row["label"]) == PATIENTS.index(row["participant_id"]) % 2
        assert 0 <= float(row["probability"]) <= 1
    assert all(len(of_patient) == 1 for of_patient in folds.values())
    assert {row["fold"] for row in found} == {"1", "2"}


def test_a_patient_with_several_scans_has_one_more_row_for_all(whole: Path) -> None:
    (bag,) = (row for row in rows(whole) if row["scan_id"] == "all")
    assert bag["participant_id"] == PATIENTS[0]
    own = [row for row in rows(whole) if row["participant_id"] == PATIENTS[0]]
    each = sorted(float(row["probability"]) for row in own if row is not bag)
    assert each[0] <= float(bag["probability"]) <= each[-1]
    assert len({(row["label"], row["fold"], row["threshold"]) for row in own}) == 1


def test_evaluate_takes_the_table(whole: Path, tmp_path: Path) -> None:
    for level, count in (("scan", 17), ("patient", 16)):
        options = EvaluationOptions(level=level)
        result = evaluate_files(Tables(whole / PREDICTIONS), tmp_path / level, options)
        assert result.models[0].cases.n == count
    assert '"mine"' in (tmp_path / "scan" / "metrics.json").read_text()


def test_no_network_saw_the_patients_that_it_predicts(
    dataset: Dataset, whole: Path, tmp_path: Path
) -> None:
    """Another picture of one patient changes the networks of the other folds, not of its own."""
    other = Path(shutil.copytree(dataset.root, tmp_path / "other"))
    array = np.load(other / STACKS)
    array[7] //= 2
    np.save(other / STACKS, array)
    cross_validate(Dataset(other), CONFIG, tmp_path / "cv", TWO)
    own = next(row["fold"] for row in rows(whole) if row["participant_id"] == PATIENTS[7])
    for before, after in zip(rows(whole), rows(tmp_path / "cv"), strict=True):
        if before["participant_id"] != PATIENTS[7]:
            unchanged = before["probability"] == after["probability"]
            assert unchanged == (before["fold"] == own)


def test_a_stopped_run_goes_on_to_the_same_table_without_training_again(
    dataset: Dataset, whole: Path, tmp_path: Path
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if stage == "training 2 of 2":
            raise KeyboardInterrupt

    out = tmp_path / "cv"
    with pytest.raises(KeyboardInterrupt):
        cross_validate(dataset, CONFIG, out, CrossOptions(folds=2, name="mine", progress=stop))
    assert not (out / PREDICTIONS).exists()
    stages: set[str] = set()
    again = CrossOptions(2, "mine", progress=lambda stage, done, total: stages.add(stage))
    cross_validate(dataset, CONFIG, out, again)
    assert "training 1 of 2" not in stages
    assert (out / PREDICTIONS).read_bytes() == (whole / PREDICTIONS).read_bytes()


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (CONFIG, CrossOptions(folds=3, name="mine")),
        (CONFIG, CrossOptions(folds=2, name="other")),
        (CONFIG.model_copy(update={"train": TrainConfig(seed=1)}), TWO),
    ],
)
def test_another_cross_validation_is_not_replaced(
    dataset: Dataset, whole: Path, config: Config, options: CrossOptions
) -> None:
    before = (whole / PREDICTIONS).read_bytes()
    with pytest.raises(OutputExists):
        cross_validate(dataset, config, whole, options)
    assert (whole / PREDICTIONS).read_bytes() == before


def test_what_cannot_be_is_refused_before_anything_is_written(
    dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(TooFewPatients):
        cross_validate(dataset, CONFIG, tmp_path / "cv", CrossOptions(folds=9))
    assert not (tmp_path / "cv").exists()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    with pytest.raises(OutputExists):
        cross_validate(dataset, CONFIG, tmp_path / "theirs", TWO)
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["notes.txt"]


def test_each_site_is_predicted_by_a_model_that_never_saw_it(
    dataset: Dataset, tmp_path: Path
) -> None:
    sites = {p: "ABC"[i // 6] for i, p in enumerate(PATIENTS)}
    table = "\n".join(["participant_id\tsite", *(f"{p}\t{s}" for p, s in sites.items())])
    (dataset.root / "participants.tsv").write_text(table + "\n")
    done = cross_validate(
        dataset, CONFIG, tmp_path / "cv", CrossOptions(name="ht", leave_out="site")
    )
    found = rows(tmp_path / "cv")
    assert {row["participant_id"]: row["site"] for row in found} == sites
    folds = {row["site"]: row["fold"] for row in found}
    assert sorted(folds.values()) == ["1", "2", "3"]
    assert done.evaluation.n_patients == 16
    (dataset.root / "participants.tsv").unlink()
