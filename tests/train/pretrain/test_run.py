from __future__ import annotations

import shutil

import pytest
import torch

from hemocast.errors import OutputExists, TableError
from hemocast.train.pretrain.encoder import read_about
from hemocast.train.pretrain.findings import TABLE
from hemocast.train.pretrain.learn import PretrainCourse
from hemocast.train.pretrain.run import PretrainPlan, pretrain_encoder

COURSE = PretrainCourse(steps=3, batch=4)


def test_an_encoder_is_made_in_pieces_and_what_it_was_fed_is_gone(cohort, net, tmp_path):
    out = tmp_path / "encoder"
    plan = PretrainPlan(net=net, course=COURSE, members=2)
    assert not pretrain_encoder([cohort, cohort], out, PretrainPlan(net, COURSE, 2, limit_s=0))
    assert not (out / "encoder.json").exists()
    assert pretrain_encoder([cohort, cohort], out, plan)
    about = read_about(out)
    assert about.scans == 24
    assert about.net.options == {"members": 2}
    assert not list(out.glob("*.npy"))
    before = {path: path.read_bytes() for path in out.rglob("[!.]*") if path.is_file()}
    assert pretrain_encoder([cohort, cohort], out, plan)  # finished: nothing changes
    assert {path: path.read_bytes() for path in before} == before
    assert read_about(out) == about


def test_another_pretraining_is_refused(cohort, net, tmp_path):
    out = tmp_path / "encoder"
    plan = PretrainPlan(net=net, course=COURSE, members=1)
    pretrain_encoder([cohort], out, plan)
    with pytest.raises(OutputExists):
        pretrain_encoder([cohort], out, PretrainPlan(net, PretrainCourse(steps=4, batch=4), 1))
    with pytest.raises(OutputExists):
        pretrain_encoder([cohort], cohort / "stacks", plan)


def test_a_cohort_that_tells_outcomes_is_refused_before_anything_is_made(cohort, net, tmp_path):
    bad = tmp_path / "bad"
    shutil.copytree(cohort, bad)
    text = (bad / TABLE).read_text().replace("aspects", "risk")
    (bad / TABLE).write_text(text)
    with pytest.raises(TableError):
        pretrain_encoder([bad], tmp_path / "out", PretrainPlan(net=net, course=COURSE))
    assert not (tmp_path / "out").exists()


def test_labels_and_truth_do_not_change_the_encoder(cohort, net, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(cohort, other)
    shutil.rmtree(other / "truth")
    for path in (other / "stacks").glob("*.tsv"):
        path.write_text("participant_id\tlabel\nsub-0\t0\n")
    plan = PretrainPlan(net=net, course=COURSE, members=1)
    for name, folder in (("one", cohort), ("two", other)):
        pretrain_encoder([folder], tmp_path / name, plan)
    assert read_about(tmp_path / "one") == read_about(tmp_path / "two")
    assert torch.load(tmp_path / "one/member-0/checkpoint.pt", weights_only=True)["stamp"]
