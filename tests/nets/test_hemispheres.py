from __future__ import annotations

import numpy as np
import pytest
import torch

from hemocast.config import NetConfig, PrepareConfig
from hemocast.nets import build, facts_of, try_network
from hemocast.nets.hemispheres import (
    BARE,
    FINDINGS,
    OF_LESION,
    PROBABILITIES,
    TissueInput,
    split_sides,
)
from hemocast.train.pretrain.findings import VOLUME_MIDDLE, VOLUME_SPREAD

SMALL = NetConfig(name="hemispheres", pool=1, smooth=3, stem=8, widths=(8,))
SHAPE = (8, 24, 24)


@pytest.fixture(scope="module")
def net():
    """Return a small network with two members, untrained."""
    torch.manual_seed(3)
    return build(SMALL.model_copy(update={"options": {"members": 2}}), SHAPE[0]).eval()


@pytest.fixture(scope="module")
def frames():
    """Return two scans of brains with a darker place on one side."""
    draw = torch.Generator().manual_seed(1)
    z, y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    brain = (z**2 + y**2 + x**2 < 0.9).float()
    lesion = (z**2 + y**2 + (x - 0.4) ** 2 < 0.1).float()
    noise = torch.randn(2, *SHAPE, generator=draw) * 0.03
    return ((0.6 + noise - 0.2 * lesion) * brain).clamp(0, 1)


def test_a_scan_and_its_mirror_image_have_the_same_findings_on_the_other_side(net, frames):
    with torch.inference_mode():
        one, two = (net.readings(net.inputs(f))[0] for f in (frames, frames.flip(-1)))
    torch.testing.assert_close(one.raw, two.raw, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one.side, -two.side, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(one.outline, two.outline.flip(1), rtol=1e-4, atol=1e-4)


def test_the_head_on_the_mean_of_the_maps_is_the_logit(net, frames):
    with torch.inference_mode():
        logit, maps = net(frames)
        again = net.head(maps.mean((2, 3, 4))).squeeze(1)
        findings = net.findings(net.inputs(frames))
    assert maps.shape == (2, len(FINDINGS), 8, 12, 12)
    torch.testing.assert_close(logit, again, rtol=1e-4, atol=1e-5)
    chances = findings[:, [FINDINGS.index(name) for name in PROBABILITIES]]
    assert ((chances > 0) & (chances < 1)).all()


def test_findings_of_the_lesion_lie_in_its_outline_and_the_others_in_tissue(net, frames):
    with torch.inference_mode():
        reading = net.readings(net.inputs(frames))[0]
    first, other = FINDINGS.index(OF_LESION[0]), FINDINGS.index("age")
    inside = torch.sigmoid(reading.outline[0, 1]).max()
    at = reading.place[0, first].argmax()
    assert inside > 0
    assert reading.place[0, first].flatten()[at] > 1
    air = reading.place[0, other, :, 0, 0]
    assert float(air.max()) < 0.05


def test_relief_is_lost_where_grey_and_white_look_alike_and_kept_under_a_scanners_shading():
    stripes = (torch.arange(96) // 6 % 2).float() * 0.2 + 0.5  # white matter and grey
    frames = stripes.expand(1, 4, 96, 96).clone()
    frames[:, :, 30:66, 30:66] = 0.6  # an infarct, no darker than what it was on average
    shaded = frames + torch.linspace(-0.06, 0.06, 96)[:, None]
    inputs = TissueInput(6, True, 3, 7.5)
    plain, under = (inputs(picture)[0, 3, 1] for picture in (frames, shaded))
    assert float(plain[7:9, 7:9].max()) < 0.005 < 0.03 < float(plain[2:14, 2:4].mean())
    assert float((under - plain).abs()[2:14, 2:14].max()) < 0.01


def test_members_are_averaged(net, frames):
    with torch.inference_mode():
        channels = net.inputs(frames)
        each = torch.stack([reading.findings for reading in net.readings(channels)])
        bare = torch.tensor([BARE.get(name, 0.0) for name in FINDINGS])
        torch.testing.assert_close(net.findings(channels), each.mean(0) - bare)
    assert not torch.equal(each[0], each[1])


def test_the_predictor_counts_from_a_head_that_shows_no_infarct(net, frames):
    """A small infarct was evidence against HT, and its heatmap empty, for being below the mean."""
    small = {"volume": (np.log(8) - VOLUME_MIDDLE) / VOLUME_SPREAD, "aspects": (9 - 8) / 2.5}
    assert small["volume"] < 0 < small["volume"] - BARE["volume"]
    assert small["aspects"] - BARE["aspects"] < 0 < small["aspects"]  # fewer points, more risk
    with torch.inference_mode():
        channels = net.inputs(frames)
        said = torch.stack([reading.findings for reading in net.readings(channels)]).mean(0)
        told = net.findings(channels) - said
    assert float(told[0, FINDINGS.index("volume")]) == pytest.approx(-BARE["volume"], abs=1e-4)
    assert not told[:, FINDINGS.index("age")].any()


def test_an_empty_stack_gives_numbers(net):
    with torch.inference_mode():
        logit, maps = net(torch.zeros(1, *SHAPE))
    assert torch.isfinite(logit).all()
    assert torch.isfinite(maps).all()


@pytest.mark.parametrize("size", [64, 80])
def test_other_sizes_fit(size):
    config = NetConfig(name="hemispheres", pool=2, stem=4, widths=(8,))
    try_network(config, PrepareConfig(frames=10, size=size))
    with torch.inference_mode():
        _, maps = build(config, 10)(torch.rand(1, 10, size, size))
    assert maps.shape == (1, len(FINDINGS), 10, size // 4, size // 4)


def test_halves_run_from_the_midline_outwards():
    picture = torch.arange(8.0).expand(1, 1, 1, 8)
    assert split_sides(picture)[0, :, 0, 0].tolist() == [[3, 2, 1, 0], [4, 5, 6, 7]]


def test_three_members_stay_below_five_megabytes():
    config = NetConfig(name="hemispheres", options={"members": 3})
    facts = facts_of(build(config), config, (28, 192, 192))
    assert not facts.changed
    assert facts.parameters * 4 < 5e6
