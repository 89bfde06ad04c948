"""Whatever lies in a user's folder: the commands on datasets change no byte of it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.dataset.ingest.run import ingest
from hemocast.errors import HemocastError
from hemocast.simulate import TINY, simulate_cohort

KEY = b"k" * 32
Tree = dict[str, bytes]

NAMED = [
    "dataset_description.json",
    "participants.tsv",
    "scans.tsv",
    "labels.tsv",
    "clinical.tsv",
    "README",
    "CHANGES",
    ".bidsignore",
    ".abcd1234.tsv",
    "splits/default.tsv",
    "splits/default.receipt.json",
    "quality/report.html",
    "quality/refused.tsv",
    "quality/sessions.tsv",
    "quality/.abcd1234.json",
    "cohort/table1.csv",
    "cohort/scans.tsv",
    "derivatives/mine/sub-01_mask.nii.gz",
    "sub-01/ses-01/ct/sub-01_ses-01_ct.nii.gz",
    "sub-01/ses-01/ct/sub-01_ses-01_ct.json",
    "sub-01/ses-01/ct/.sub-01_ses-01_ct.nii.gz.partial",
    "sub-02/ses-pre/ct/sub-02_ses-pre_ct.nii.gz",
    "sub-0123456789ab/ses-01/ct/sub-0123456789ab_ses-01_ct.nii.gz",
    "sub-0123456789ab/ses-02/ct/notes",
    "sub-03/anat/sub-03_T1w.nii.gz",
]
PEOPLE = b"participant_id\tage\tsex\tgroup\nsub-01\t70\tF\tA\nsub-02\t71\tM\tB\n"
PARTS = b"participant_id\tpart\nsub-01\ttrain\nsub-02\ttest\n"
letters = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\")
odd = st.text(letters, min_size=1, max_size=20).filter(lambda name: name.strip(".") != "")
names = st.one_of(
    st.sampled_from(NAMED), odd, st.tuples(st.sampled_from(["sub-09/ses-01/ct", "mine"]), odd)
).map(lambda name: name if isinstance(name, str) else "/".join(name))
contents = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([PEOPLE, PARTS, b"{}", b'{"Name": "Mine", "BIDSVersion": "1.8.0"}', b"[" * 50]),
)
trees = st.dictionaries(names, contents, max_size=14)
OWN_BIDS = {
    "dataset_description.json": b'{"Name": "Mine", "BIDSVersion": "1.8.0"}',
    "participants.tsv": PEOPLE,
    "sub-01/ses-01/ct/sub-01_ses-01_ct.nii.gz": b"the only copy",
    "quality/report.html": b"my own",
    "cohort/table1.csv": b"my own",
    "splits/default.tsv": PARTS,
}


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a simulated scan as DICOM."""
    config = TINY.model_copy(update={"n_ht": 1, "n_non": 1, "scans_per_patient": 1.0})
    return simulate_cohort(config, tmp_path_factory.mktemp("simulated") / "cohort").dicom


@pytest.fixture(scope="module")
def dataset(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a dataset of ours, with the key beside it."""
    root = tmp_path_factory.mktemp("dataset")
    (root / "data.key").write_text(KEY.hex())
    ingest([scans], root / "data", KEY)
    return root / "data"


def write(tree: Tree, root: Path) -> None:
    for name, content in tree.items():
        path = root / name
        # A name may be a folder of another.
        if not any(part.is_file() for part in path.parents) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def read(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(*words: object) -> None:
    result = CliRunner().invoke(application(), [str(word) for word in words])
    assert isinstance(result.exception, HemocastError | SystemExit | None), result.exception


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(tree=trees)
@example(tree=OWN_BIDS)
def test_a_folder_of_the_users_own_keeps_every_byte(scans: Path, tree: Tree) -> None:
    with tempfile.TemporaryDirectory() as name:
        own = Path(name, "own")
        own.mkdir()
        write(tree, own)
        before = read(own)
        if before:  # an empty folder may become a dataset
            run("ingest", scans, "--out", own)
        run("quality", own)
        run("cohort", own)
        run("check-leakage", own)
        run("ingest", own, "--out", Path(name, "out"))
        after = read(own)
        assert {path: after.get(path) for path in before} == before
        assert not Path(name, "own.key").exists()


@pytest.mark.slow
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(tree=trees)
def test_what_users_add_to_a_dataset_keeps_every_byte(
    scans: Path, dataset: Path, tree: Tree
) -> None:
    """Files under names that a dataset does not use, beside those that it does."""
    used = {str(path.relative_to(dataset)) for path in read(dataset)}
    mine = {
        name: content
        for name, content in tree.items()
        if name not in used | {"clinical.tsv"} and not name.startswith(("quality/", "cohort/"))
    }
    write(mine, dataset)
    added = {
        dataset / name: content for name, content in mine.items() if (dataset / name).is_file()
    }
    before = {path: path.read_bytes() for path in added}
    for command in (
        ("ingest", scans, "--out", dataset), ("quality", dataset), ("cohort", dataset),
    ):  # fmt: skip
        run(*command)
    assert {path: path.read_bytes() for path in before} == before
