"""Each site of a dataset as a hospital of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemocast.config import Config
from hemocast.dataset import Dataset
from hemocast.errors import TooFewPatients
from hemocast.evaluate.run import EvaluationOptions, Tables, evaluate_inputs, read_inputs
from hemocast.federate import Privacy, SignedPlan
from hemocast.federate.keys import public_of, read_key
from hemocast.files import write_json
from hemocast.model import Purpose
from hemocast.pipeline import federate as story
from hemocast.pipeline.federate import FederateOptions, rehearse_dataset
from hemocast.stats import Resampling
from hemocast.train import STACKS, with_encoder

CONFIG = with_encoder(Config(), Path("own"))
PURPOSE = Purpose("ht", "HT on a later scan", "made-up patients")
QUICK = FederateOptions(rounds=10)


def stacks_of(root: Path, sites: tuple[str, ...]) -> Dataset:
    """Stacks of no content, of forty patients a site; the outcome hangs on the number."""
    root.mkdir()
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    people = [(f"sub-{i:03d}", sites[i % len(sites)], int(i % 3 == 0)) for i in range(80)]
    np.save(root / STACKS, np.zeros((80, 28, 192, 192), np.uint8))
    for name, head, rows in (
        ("scans", "participant_id\tscan_id\trow", [f"{p}\t{p}_ses-01\t{i}"
         for i, (p, *_) in enumerate(people)]),
        ("labels", "participant_id\tlabel", [f"{p}\t{y}" for p, _, y in people]),
        ("participants", "participant_id\tsite", [f"{p}\t{s}" for p, s, _ in people]),
    ):  # fmt: skip
        (root / f"{name}.tsv").write_text("\n".join([head, *rows]) + "\n")
    return Dataset(root)


def findings(_: object, table: object) -> np.ndarray:
    """What an encoder might say, tied to the outcome."""
    rng = np.random.default_rng(0)
    label = np.array(table.label)  # type: ignore[attr-defined]
    return rng.normal(0, 1, (len(label), 8)) + label[:, None] * [1, 1, 0, 0, 0, 0, 0, 0]


def test_sites_keep_their_key_card_and_receipt_and_the_table_compares_all_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemocast.train.pretrain.head.findings_of", findings)
    dataset = stacks_of(tmp_path / "stacks", ("North", "South/East"))
    done = rehearse_dataset(dataset, CONFIG, tmp_path / "out", PURPOSE, QUICK)
    table = pd.read_csv(done.predictions)
    assert set(table["model"]) == {"local", "pooled", "federated", "federated-recalibrated"}
    assert table.groupby(["model", "site"]).size().nunique() == 1
    assert (table["simulated"] == 1).all()
    learned = sum(receipt.n_patients for receipt in done.learned.federated.receipts)
    assert learned + table["participant_id"].nunique() == 80
    folders = sorted((tmp_path / "out" / story.SITES).iterdir())
    assert [folder.name.split("-")[0] for folder in folders] == ["North", "South"]
    for folder in folders:
        assert {one.name for one in folder.iterdir()} == {"site.key", "receipt.json", "card.md"}
        told = json.loads((folder / "receipt.json").read_text())
        assert not set(map(str, told.values())) & set(table["participant_id"])
    public = public_of(read_key(tmp_path / "out" / "coordinator.key"))
    signed = SignedPlan.parse((tmp_path / "out" / story.PLAN).read_text(), public)
    assert set(signed.plan.sites) == {"North", "South/East"}

    # As `hemocast evaluate federation/predictions.csv --reference pooled --margin 0.03` does.
    options = EvaluationOptions(resampling=Resampling(100), reference="pooled", margin=0.03)
    found = evaluate_inputs(read_inputs(Tables(done.predictions)), options, lambda *_: None)
    assert {"federated", "local"} <= {one.first for one in found.comparisons}

    # The same again gives the same: the keys stay, and finished rounds are not made again.
    before = done.predictions.read_bytes()
    rehearse_dataset(dataset, CONFIG, tmp_path / "out", PURPOSE, QUICK)
    assert done.predictions.read_bytes() == before


def test_a_single_site_is_no_federation(tmp_path: Path) -> None:
    with pytest.raises(TooFewPatients, match="1 site"):
        rehearse_dataset(
            stacks_of(tmp_path / "stacks", ("North",)), CONFIG, tmp_path / "out", PURPOSE, QUICK
        )


def test_with_noise_every_receipt_says_epsilon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hemocast.train.pretrain.head.findings_of", findings)
    dataset = stacks_of(tmp_path / "stacks", ("North", "South"))
    options = replace(QUICK, privacy=Privacy(clip=1, noise=4))
    done = rehearse_dataset(dataset, CONFIG, tmp_path / "out", PURPOSE, options)
    expected = Privacy(clip=1, noise=4).epsilon(2 * QUICK.rounds + 1)
    assert {one.epsilon for one in done.learned.federated.receipts} == {expected}
    assert done.learned.signed.plan.privacy == options.privacy
    assert all(one.receipts[0].epsilon is None for one in done.learned.local.values())
