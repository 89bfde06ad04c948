from __future__ import annotations

from dataclasses import replace

from hemocast.config import Config, TrainConfig
from hemocast.model import load_default
from hemocast.pipeline.study.methods import methods_of
from hemocast.pipeline.study.records import Records, Sources, read_records


def texts(records: Records) -> dict[str, str]:
    return {one.key: one.text for one in methods_of(records)}


def test_nothing_is_said_that_no_record_holds() -> None:
    assert set(texts(Records())) == {"software"}


def test_methods_are_filled_from_the_actual_settings(sources: Sources) -> None:
    model = load_default()
    config = Config(train=TrainConfig(seed=7, epochs=9, learning_rate=0.004))
    records = replace(
        read_records(sources), model=model.description, model_hash=model.hash, config=config
    )
    found = texts(records)
    assert "seed 7" in found["training"]
    assert "at most 9 epochs" in found["training"]
    assert "0.004" in found["training"]
    assert "28 frames of 5 mm" in found["preparation"]
    assert "10 to 50 HU" in found["preparation"]
    assert "train: 30 patients" in found["split"]
    assert "100 times (seed 0)" in found["statistics"]
    assert "percentile bootstrap" in found["statistics"]
    assert "nihss (3)" in found["missing"]
    assert model.hash[:12] in found["prediction"]
    assert "by sex" in found["fairness"]


def test_class_weights_are_said_where_they_were_used(sources: Sources) -> None:
    says = load_default().description
    balanced = Config(train=TrainConfig(class_weights="balanced"))
    told = replace(read_records(sources), model=says, config=balanced)
    assert "class weights" in texts(told)["imbalance"]
    none = Config(train=TrainConfig(class_weights="none"))
    assert "No method" in texts(replace(told, config=none))["imbalance"]


def test_where_held_out_patients_chose_the_network_that_is_said(sources: Sources) -> None:
    says = load_default().description
    config = Config().with_choice()
    told = replace(read_records(sources), model=says, config=config)
    kept = {}
    for name in ("ctnet3d", "hemispheres"):
        net = says.net.model_copy(update={"name": name})
        kept[name] = texts(replace(told, model=says.model_copy(update={"net": net})))["training"]
    assert all("held out of both" in text for text in kept.values())
    assert "random weights" in kept["ctnet3d"]
    assert "the encoder own" in kept["hemispheres"]
