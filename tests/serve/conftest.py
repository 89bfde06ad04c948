"""A small SIMULATED dataset of ten readable heads, and a reading room over it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hemocast.dataset import Dataset
from hemocast.dicom import write_nifti
from hemocast.files import write_table
from hemocast.readers.store.answers import Store
from hemocast.readers.study.create import StudyPlan, create_study
from hemocast.readers.study.design import StudyDesign
from hemocast.readers.study.folder import Study, open_study
from hemocast.volume import SIMULATED

N = 10


def head_hu(seed: int) -> np.ndarray:
    """Skin, skull, brain with ventricles and a dark lesion: 30 slices of 5 mm, 96x96 of 2.2 mm."""
    rng = np.random.default_rng(seed)
    across = (np.arange(96) - 47.5) * 2.2
    z, y, x = np.meshgrid((np.arange(30) - 14.5) * 5, across, across, indexing="ij")
    radius = np.sqrt((x / 66) ** 2 + (y / 82) ** 2 + (z / 66) ** 2)
    hu = np.full(radius.shape, -1000.0)
    hu[radius < 1.18], hu[radius < 1.1] = 30, 900
    hu[(radius < 1) & ~((z < -28) & (y < 5))] = 36  # bone under the front: a ball lies anyhow
    side, size = (1 if seed % 2 else -1), 12 + seed
    hu[(x - side * 38) ** 2 + (y - 10) ** 2 + (z - 5) ** 2 < size**2] = 26
    hu[((np.abs(x) - 15) / 9) ** 2 + (y / 32) ** 2 + ((z - 5) / 18) ** 2 < 1] = 8
    hu[radius < 1] += rng.normal(0, 4, (radius < 1).sum())
    return hu


@pytest.fixture(scope="session")
def participants() -> list[str]:
    """Pseudonyms of the ten patients."""
    return [f"sub-{0xABCDEF012300 + 7919 * i:012x}" for i in range(N)]


@pytest.fixture(scope="session")
def dataset_root(tmp_path_factory: pytest.TempPathFactory, participants: list[str]) -> Path:
    """Write the dataset, of four heads: finding the brain takes time; every second has HT."""
    root = tmp_path_factory.mktemp("dataset")
    affine = np.diag([-2.2, -2.2, 5.0, 1.0])
    affine[:3, 3] = [104.5, 104.5, 0]
    for i, participant in enumerate(participants):
        folder = root / participant / "ses-01" / "ct"
        folder.mkdir(parents=True)
        path = folder / f"{participant}_ses-01_ct.nii.gz"
        write_nifti(head_hu(i % 4), affine, path, description=SIMULATED)
        sidecar = {"participant_id": participant, "session": "ses-01", "scan_uid": f"uid{i}"}
        sidecar |= {"acq_time": None, "age": None, "sex": "", "simulated": True}
        sidecar |= {"shape": [30, 96, 96], "spacing_mm": [5.0, 2.2, 2.2]}
        sidecar |= {"facts": {}, "corrected": [], "doubts": []}
        path.with_name(f"{path.name[:-7]}.json").write_text(json.dumps(sidecar))
    scans = [{"participant_id": p, "scan_id": f"{p}_ses-01", "blood": 0} for p in participants]
    write_table(root / "scans.tsv", scans, ["participant_id", "scan_id", "blood"])
    labels = [{"participant_id": p, "label": i % 2} for i, p in enumerate(participants)]
    write_table(root / "labels.tsv", labels, ["participant_id", "label"])
    (root / "clinical.tsv").write_text(
        "participant_id\tnihss\n" + "".join(f"{p}\t4{i}.125\n" for i, p in enumerate(participants))
    )
    made_by = [{"Name": "hemocast"}]
    description = {"DatasetType": "raw", "GeneratedBy": made_by, "Simulated": True}
    (root / "dataset_description.json").write_text(json.dumps(description))
    return root


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory, participants: list[str]) -> Path:
    """What a model said, with heatmaps, as 'hemocast predict' leaves it."""
    folder = tmp_path_factory.mktemp("results")
    affine = np.diag([-10.0, -10.0, 10.0, 1.0])
    affine[:3, 3] = [105, 105, 0]
    rows = []
    for i, participant in enumerate(participants):
        scan = f"{participant}_ses-01"
        (folder / scan).mkdir()
        heat = np.zeros((16, 22, 22), np.float32)
        heat[6:10, 8:13, 12:17] = 0.02
        write_nifti(heat, affine, folder / scan / "heatmap.nii.gz", dtype=np.float32)
        record = {
            "model": {"name": "demo"}, "simulated_training_data": True,
            "heatmap_unit": "log-odds per cm3",
        }  # fmt: skip
        (folder / scan / "prediction.json").write_text(json.dumps(record))
        rows.append(
            {"scan_id": scan, "probability": 0.0512 + i / 11, "threshold": 0.5, "status": "done"}
        )
    with (folder / "predictions.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def pictures(dataset_root: Path, results: Path) -> Path:
    """Make the pictures of all cases once; studies of the tests take them over."""
    create_study(Dataset(dataset_root), "pictures", StudyPlan(readers=("R1",)), model=results)
    return dataset_root / "derivatives" / "hemocast" / "readers" / "pictures" / "images"


@pytest.fixture
def new_study(
    dataset_root: Path, results: Path, pictures: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Study]]:
    """Return a function that makes a study, opened; gone after the test."""
    opened: list[Study] = []
    home = pictures.parents[1]

    def _make(*, aided: bool = False, **plan: object) -> Study:
        name = f"study{len(opened)}_{abs(hash(request.node.nodeid)) % 10**8}"
        shutil.copytree(pictures, home / name / "images", copy_function=os.link)
        settings = {"readers": ("R1", "R2"), "repeats": 0.0, "washout_days": 0.0} | plan
        dataset = Dataset(dataset_root)
        create_study(dataset, name, StudyPlan(**settings), model=results if aided else None)
        opened.append(open_study(dataset, name))
        return opened[-1]

    yield _make
    for study in opened:
        study.store.close()
        shutil.rmtree(home / study.design.name)


@dataclass(frozen=True)
class Served:
    """A reading room that listens."""

    study: Study
    address: str

    @property
    def design(self) -> StudyDesign:
        return self.study.design

    @property
    def store(self) -> Store:
        return self.study.store

    def link(self, reader: str) -> str:
        return f"{self.address}/r/{self.study.store.new_token(reader)}"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def serve() -> Iterator[Callable[[Study], Served]]:
    """Return a function that serves a study on a free port until the test ends."""
    uvicorn = pytest.importorskip("uvicorn")
    from hemocast.serve.reading.address import listen, read_address
    from hemocast.serve.reading.app import reading_app
    from hemocast.serve.reading.connections import server_config

    running = []

    def _serve(study: Study) -> Served:
        listening = listen("127.0.0.1", free_port())
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = reading_app(study, read_address(address))
        server = uvicorn.Server(server_config(app))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        running.append((server, thread))
        return Served(study, address)

    yield _serve
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
