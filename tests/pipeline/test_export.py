"""What nnU-Net version 2 reads: its names, its dataset.json, masks on the grid of their scans."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.stacks import scans_of
from hemocast.errors import ConfigError, NothingThere, OutputExists, TableError
from hemocast.files import write_json, write_table
from hemocast.pipeline.export import export_nnunet
from hemocast.train import STACKS
from hemocast.train.pretrain.findings import COLUMNS

SHAPE = (8, 16, 24)


@pytest.fixture
def stacks(tmp_path: Path) -> Dataset:
    """Four patients as stacks, with infarcts beside them: of scan i, frame i is infarcted."""
    root = tmp_path / "cohort" / "stacks"
    root.mkdir(parents=True)
    (root.parent / "findings").mkdir()
    made_by = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "hemocast"}]}
    write_json(root / "dataset_description.json", made_by | {"Simulated": True})
    np.save(root / STACKS, np.random.default_rng(0).integers(0, 255, (4, *SHAPE), np.uint8))
    lesions = np.zeros((4, *SHAPE), bool)
    for i in range(4):
        lesions[i, i, 2:5, 3] = True
    np.save(root.parent / "findings" / "lesions.npy", np.packbits(lesions, axis=-1))
    names = [f"sub-{i}_ses-01" for i in range(4)]
    number = dict.fromkeys(COLUMNS, 1) | {"side": "left"}
    rows = [number | {"scan_id": name, "row": i} for i, name in enumerate(names)]
    write_table(root.parent / "findings" / "findings.tsv", rows, COLUMNS)
    scans = [f"sub-{i}\t{name}\t{i}" for i, name in enumerate(names)]
    (root / "scans.tsv").write_text("\n".join(["participant_id\tscan_id\trow", *scans]))
    labels = [f"sub-{i}\t{i % 2}" for i in range(4)]
    (root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *labels]))
    return Dataset(root)


def test_stacks_come_as_ct_numbers_with_their_infarcts(stacks: Dataset, tmp_path: Path) -> None:
    done = export_nnunet(stacks, tmp_path / "out", number=7, name="Infarct")
    assert done.folder == tmp_path / "out" / "Dataset007_Infarct"
    assert (done.with_mask, done.without_mask) == (4, 0)
    described = json.loads((done.folder / "dataset.json").read_text())
    assert described["channel_names"] == {"0": "CT"}
    assert described["labels"] == {"background": 0, "infarct": 1}
    assert (described["numTraining"], described["file_ending"]) == (4, ".nii.gz")
    image = nibabel.load(done.folder / "imagesTr" / "sub-2_ses-01_0000.nii.gz")
    mask = nibabel.load(done.folder / "labelsTr" / "sub-2_ses-01.nii.gz")
    assert image.shape == mask.shape == SHAPE[::-1]
    assert np.array_equal(image.affine, mask.affine)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    level = np.load(stacks.root / STACKS)[2].transpose(2, 1, 0)
    assert np.allclose(image.get_fdata(), 10 + level / 255 * 40, atol=1e-4)
    assert np.argwhere(mask.get_fdata()).tolist() == [[3, 2, 2], [3, 3, 2], [3, 4, 2]]


def test_the_outcome_is_written_nowhere(stacks: Dataset, tmp_path: Path) -> None:
    export_nnunet(stacks, tmp_path / "one", number=7, name="Infarct")
    turned = [f"sub-{i}\t{1 - i % 2}" for i in range(4)]
    (stacks.root / "labels.tsv").write_text("\n".join(["participant_id\tlabel", *turned]))
    export_nnunet(stacks, tmp_path / "two", number=7, name="Infarct")
    one, two = (
        {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        for out in (tmp_path / "one", tmp_path / "two")
    )
    assert one == two


def test_scans_of_a_dataset_are_copied_and_those_without_a_mask_set_apart(
    dataset: Dataset, tmp_path: Path
) -> None:
    first, second = scans_of(dataset)[:2]
    grid = nibabel.load(first.path)
    drawn = np.zeros(grid.shape, np.uint8)
    drawn[3, 4, 1] = 1
    masks = tmp_path / "masks"
    masks.mkdir()
    nibabel.save(nibabel.Nifti1Image(drawn, grid.affine), masks / f"{first.scan_id}.nii.gz")
    done = export_nnunet(dataset, tmp_path / "out", number=7, name="Real", masks=masks)
    assert (done.with_mask, done.without_mask) == (1, len(scans_of(dataset)) - 1)
    image = done.folder / "imagesTr" / f"{first.scan_id}_0000.nii.gz"
    assert image.read_bytes() == first.path.read_bytes()
    assert (done.folder / "imagesTs" / f"{second.scan_id}_0000.nii.gz").is_file()
    mask = nibabel.load(done.folder / "labelsTr" / f"{first.scan_id}.nii.gz")
    assert np.array_equal(mask.get_fdata(), drawn)
    assert np.allclose(mask.affine, grid.affine, atol=1e-3)

    moved = nibabel.Nifti1Image(drawn, grid.affine + np.eye(4))
    nibabel.save(moved, masks / f"{first.scan_id}.nii.gz")
    with pytest.raises(TableError, match="grid"):
        export_nnunet(dataset, tmp_path / "other", number=7, name="Real", masks=masks)
    assert not (tmp_path / "other").exists()


def test_what_cannot_be_is_refused_and_nothing_written(stacks: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        export_nnunet(stacks, tmp_path / "out", number=7, name="../x")
    with pytest.raises(ConfigError, match="stacks"):
        export_nnunet(stacks, tmp_path / "out", number=7, name="x", masks=tmp_path)
    with pytest.raises(NothingThere):
        export_nnunet(stacks, tmp_path / "out", number=7, name="x", masks=tmp_path / "none")
    assert not (tmp_path / "out").exists()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    with pytest.raises(OutputExists):
        export_nnunet(stacks, tmp_path / "theirs", number=7, name="x")
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["notes.txt"]
