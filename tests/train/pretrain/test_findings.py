from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest

from hemocast.errors import NothingThere, TableError
from hemocast.nets.hemispheres import FINDINGS
from hemocast.train.pretrain.findings import LESIONS, STACKS, TABLE, FindingsTable
from hemocast.train.pretrain.learn import Cache
from hemocast.train.pretrain.lessons import lesson_of

OPENED: list[str] = []
WATCHED: list[str] = []


def _note(event: str, args: tuple) -> None:
    if event == "open" and WATCHED and str(args[0]).startswith(WATCHED[0]):
        OPENED.append(str(args[0])[len(WATCHED[0]) + 1 :])


sys.addaudithook(_note)  # of every file that this process opens, by whatever library


def test_the_reader_opens_stacks_and_findings_and_nothing_of_an_outcome(cohort, net, tmp_path):
    OPENED.clear()
    WATCHED[:] = [str(cohort)]
    try:
        table = FindingsTable.of_cohort(cohort)
        Cache.of([table], lesson_of(net, 8), tmp_path)
        table.infarct(3)
        (cohort / "truth" / "patients.csv").read_text()  # the watch itself works
    finally:
        WATCHED.clear()
    assert set(OPENED) == {STACKS, LESIONS, TABLE, "truth/patients.csv"}


def test_it_reads_the_same_where_labels_and_truth_are_gone(cohort, tmp_path):
    bare = tmp_path / "bare"
    for name in (STACKS, LESIONS, TABLE):
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(cohort / name, bare / name)
    full, alone = FindingsTable.of_cohort(cohort), FindingsTable.of_cohort(bare)
    np.testing.assert_array_equal(full.target, alone.target)


@pytest.mark.parametrize("name", ["stacks/labels.tsv", "truth/patients.csv", "../labels.tsv"])
def test_no_other_file_can_be_asked_for(cohort, name):
    with pytest.raises(TableError):
        FindingsTable.of_cohort(cohort).open(name)


@pytest.mark.parametrize("column", ["label", "risk", "risk_image", "ht_grade", "log_odds"])
def test_a_table_with_an_outcome_in_it_is_refused(cohort, tmp_path, column):
    out = tmp_path / "cohort"
    shutil.copytree(cohort, out)
    lines = (out / TABLE).read_text().splitlines()
    text = [f"{lines[0]}\t{column}", *(f"{line}\t1" for line in lines[1:])]
    (out / TABLE).write_text("\n".join(text) + "\n")
    with pytest.raises(TableError, match="other columns"):
        FindingsTable.of_cohort(out)


def test_findings_are_in_the_networks_units(cohort):
    table = FindingsTable.of_cohort(cohort)
    told = dict(zip(FINDINGS, table.target[7], strict=True))
    assert table.volume_ml[7] == 37
    assert told["volume"] == pytest.approx((np.log(37) - 3) / 1.4, abs=1e-5)
    assert told["aspects"] == pytest.approx((3 - 8) / 2.5)
    assert told["low_aspects"] == 2  # as HTI counts ASPECTS 3
    assert told["hyperdense_artery"] == 1
    assert (told["leukoaraiosis"], told["severe_leukoaraiosis"]) == (1, 0)
    assert table.left[7] == 0
    lesion = table.infarct(7)
    assert lesion[..., :12].sum() > 0 == lesion[..., 14:].sum()


def test_what_does_not_belong_together_is_refused(cohort, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(cohort, out)
    (out / LESIONS).unlink()
    with pytest.raises(NothingThere, match="lesions"):
        FindingsTable.of_cohort(out)
    np.save(out / LESIONS, np.load(cohort / LESIONS)[:5])
    with pytest.raises(TableError, match="belong together"):
        FindingsTable.of_cohort(out)
    (out / LESIONS).write_bytes(b"no array")
    with pytest.raises(TableError):
        FindingsTable.of_cohort(out)
