from __future__ import annotations

import pytest
import torch

from hemocast.config import Config
from hemocast.errors import ModelCorrupt, ModelNotFound, UsageError
from hemocast.files import claim
from hemocast.nets import build
from hemocast.nets.hemispheres import Member
from hemocast.train import with_encoder
from hemocast.train.pretrain.encoder import (
    CTNET,
    KIND,
    OWN,
    WEIGHTS,
    About,
    join_encoders,
    located,
    read_about,
    read_encoder,
    take_member,
    write_encoder,
)


@pytest.fixture
def written(net, tmp_path):
    """Return an encoder's folder and its one member."""
    torch.manual_seed(5)
    member = Member(net.stem, net.widths[-1], net.smooth)
    about = About(net=net, scans=12, steps=3, seed=0, data_hash="a")
    with claim(tmp_path / "encoder", KIND) as output:
        write_encoder([member], about, output)
    return tmp_path / "encoder", member


def test_a_network_takes_an_encoders_weights_and_keeps_its_own_head(written, net):
    folder, member = written
    made = build(net, 8)
    head = made.head.weight.detach().clone()
    assert read_about(folder).scans == 12
    assert read_encoder(folder, made).net is made
    for name, value in member.state_dict().items():
        assert torch.equal(made.members[0].state_dict()[name], value)
    assert torch.equal(made.head.weight, head)


def test_what_was_changed_or_does_not_fit_is_refused(written, net, tmp_path):
    folder, _ = written
    two = build(net.model_copy(update={"options": {"members": 2}}), 8)
    with pytest.raises(ModelCorrupt, match="fit"):
        read_encoder(folder, two)
    with pytest.raises(ModelNotFound):
        read_encoder(tmp_path, build(net, 8))
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-1] + b"?")
    with pytest.raises(ModelCorrupt, match="hash"):
        read_encoder(folder, build(net, 8))


def test_joined_encoders_say_the_mean_of_both(written, net, tmp_path):
    folder, _ = written
    torch.manual_seed(6)
    other = Member(net.stem, net.widths[-1], net.smooth)
    with claim(tmp_path / "other", KIND) as output:
        write_encoder([other], About(net=net, scans=20, steps=2, seed=1, data_hash="b"), output)
    with claim(tmp_path / "both", KIND) as output:
        join_encoders([folder, tmp_path / "other"], output)
    about = read_about(tmp_path / "both")
    made = [build(read_about(path).net, 8) for path in (folder, tmp_path / "other")]
    both = build(about.net, 8)
    for path, one in zip(
        (folder, tmp_path / "other", tmp_path / "both"), (*made, both), strict=True
    ):
        read_encoder(path, one)
    frames = torch.rand(1, 8, 24, 24, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        each = [one.findings(one.inputs(frames)) for one in made]
        torch.testing.assert_close(both.findings(both.inputs(frames)), sum(each) / 2)
    assert (about.scans, about.steps) == (20, 3)


def test_a_member_taken_out_of_two_is_what_it_was(written, tmp_path):
    folder, member = written
    with claim(tmp_path / "both", KIND) as output:
        join_encoders([folder, folder], output)
    with claim(tmp_path / "one", KIND) as output:
        take_member(tmp_path / "both", 2, output)
    alone = build(read_about(tmp_path / "one").net, 8)
    read_encoder(tmp_path / "one", alone)
    for name, value in member.state_dict().items():
        assert torch.equal(alone.members[0].state_dict()[name], value)
    with claim(tmp_path / "none", KIND) as output, pytest.raises(UsageError, match="1 to 2"):
        take_member(tmp_path / "both", 3, output)


def test_networks_of_different_shape_are_not_joined(written, net, tmp_path):
    folder, _ = written
    wider = net.model_copy(update={"stem": 16})
    with claim(tmp_path / "other", KIND) as output:
        about = About(net=wider, scans=20, steps=2, seed=1, data_hash="b")
        write_encoder([Member(16, net.widths[-1], net.smooth)], about, output)
    with claim(tmp_path / "both", KIND) as output, pytest.raises(ModelCorrupt, match="joined"):
        join_encoders([folder, tmp_path / "other"], output)


@pytest.mark.parametrize("name", [OWN, CTNET])
def test_encoders_that_come_along_are_taken_by_their_names_and_small(name):
    about = read_about(name)
    made = build(about.net)
    assert read_encoder(name, made).net is made
    assert about.scans >= 500
    assert sum(path.stat().st_size for path in located(name).iterdir()) < 5e6
    config = with_encoder(Config(), name)
    assert config.train.encoder == str(name)
    assert config.net == about.net
