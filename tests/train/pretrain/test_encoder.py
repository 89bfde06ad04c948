from __future__ import annotations

import pytest
import torch

from hemocast.errors import ModelCorrupt, ModelNotFound
from hemocast.files import claim
from hemocast.nets import build
from hemocast.nets.hemispheres import Member
from hemocast.train.pretrain.encoder import KIND, WEIGHTS, About, read_encoder, write_encoder


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
    about = read_encoder(folder, made)
    assert about.scans == 12
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
