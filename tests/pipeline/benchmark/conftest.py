"""Two small cohorts as stacks, made by hand, whose risk shows as a dark half."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.files import write_json

SHAPE = (6, 48, 48)


def write_cohort(folder: Path, patients: int, seed: int) -> Path:
    """Write a cohort; every third patient has two scans."""
    rng = np.random.default_rng(seed)
    stacks = folder / "stacks"
    stacks.mkdir(parents=True)
    (folder / "truth").mkdir()
    write_json(
        stacks / "dataset_description.json",
        {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}], "Simulated": True},
    )
    risk = rng.uniform(0.05, 0.95, patients)
    label = (rng.random(patients) < risk).astype(int)
    label[:4] = 0, 1, 0, 1
    pictures, scans = [], ["participant_id\tscan_id\trow"]
    for at in range(patients):
        for session in range(1 + (at % 3 == 0)):
            frames = np.zeros(SHAPE, np.uint8)
            frames[:, 8:40, 10:38] = 150 + rng.normal(0, 8, (6, 32, 28))
            frames[1:5, 12:28, 12:22] -= np.uint8(100 * risk[at])
            scans.append(f"sub-{at:03d}\tsub-{at:03d}_ses-0{session + 1}\t{len(pictures)}")
            pictures.append(frames)
    np.save(stacks / "stacks.npy", np.stack(pictures))
    (stacks / "scans.tsv").write_text("\n".join(scans) + "\n")
    labels = [f"sub-{at:03d}\t{one}" for at, one in enumerate(label)]
    (stacks / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]) + "\n")
    truth = [f"sub-{at:03d},{one:.6f},{one:.6f}" for at, one in enumerate(risk)]
    (folder / "truth" / "patients.csv").write_text(
        "\n".join(["participant_id,risk,risk_image", *truth]) + "\n"
    )
    return folder


@pytest.fixture(scope="session")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the folders of 72 patients to learn from and of 60 to test on."""
    root = tmp_path_factory.mktemp("cohorts")
    return write_cohort(root / "learned", 72, 1), write_cohort(root / "fresh", 60, 2)
