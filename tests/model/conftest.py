"""Tiny untrained networks in model folders, and tiny stacks."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from hemocast.config import NetConfig, PrepareConfig
from hemocast.model import Calibration, Model, Purpose, Recipe, TrainingFacts, save_model
from hemocast.volume import Stack, StackRecord

SHAPE = (8, 64, 64)


@pytest.fixture(scope="session")
def make_stack():
    """Return a function seed -> Stack of shape (8, 64, 64), a noisy ellipsoid."""

    def _make(seed: int = 0, **record) -> Stack:
        rng = np.random.default_rng(seed)
        z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
        brain = z**2 + y**2 + x**2 < 0.8
        frames = np.where(brain, (0.6 + rng.normal(0, 0.1, SHAPE)).clip(0, 1), 0)
        facts = {"brain_ml": 1300.0, "brain_cut_mm": 0.0, "doubts": ()} | record
        return Stack(
            frames.astype(np.float32),
            brain,
            np.array([[-3.0, 0, 0, 94], [0, -3, 0, 94], [0, 0, 5, -20], [0, 0, 0, 1]]),
            StackRecord(
                "a" * 64,
                "b" * 64,
                (0, 0, 0),
                (0, 0, 0),
                frames_padded_top=0,
                frames_padded_bottom=0,
                **facts,
            ),
        )

    return _make


@pytest.fixture(scope="session")
def save(make_stack):
    """Return a function that saves an untrained network of a given name into a folder.

    The network of one name is always the same, so it is exported once (seconds) and kept.
    """
    import torch

    from hemocast.model import export
    from hemocast.nets import build

    exported: dict[str, bytes] = {}

    def _save(folder: Path, name: str = "ctnet3d", **changes) -> Model:
        torch.manual_seed(1)
        net_config = NetConfig(name=name, pool=1, smooth=3, stem=8, widths=(8, 16), blocks=1)
        net_config = changes.get("net", net_config)
        net = build(net_config, frames=changes.get("prepare", PrepareConfig(frames=8)).frames)
        torch.nn.init.constant_(net.head.bias, 0.25)
        settings = {
            "name": "tiny",
            "version": "0.1",
            "horizon": "HT on a simulated follow-up scan",
            "population": "simulated patients",
            "simulated_training_data": True,
            "simulator": 2,
            "net": net_config,
            "prepare": PrepareConfig(frames=SHAPE[0], size=SHAPE[1], pixel_mm=3),
            "calibration": Calibration(1.5, -0.2, ((0.1, 0.0), (0.0, 0.2)), 0.4, 20, 18),
            "training": TrainingFacts(
                data_hash="c" * 64, n_patients=80, n_scans=100, prevalence=0.4
            ),
            "gate": None,
            "joined": None,
            "examples": [make_stack(seed) for seed in range(5)],
            "notes": "",
        } | changes
        purpose = Purpose(**{f.name: settings[f.name] for f in fields(Purpose)})
        recipe = Recipe(**{f.name: settings[f.name] for f in fields(Recipe)})
        with pytest.MonkeyPatch.context() as patch:
            key = net_config.hash()
            if key in exported:
                patch.setattr(export, "to_onnx", lambda *_: exported[key])
            model = save_model(
                net, folder, purpose, recipe, settings["examples"], settings["notes"]
            )
        exported[key] = model.onnx
        return model

    return _save


@pytest.fixture(scope="session")
def folder(save, tmp_path_factory) -> Path:
    """Return the folder of a saved ``ctnet3d``; not to be changed."""
    path = tmp_path_factory.mktemp("models") / "tiny"
    save(path)
    return path
