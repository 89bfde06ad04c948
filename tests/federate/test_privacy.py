"""What a hospital sends is cut, noisy, and its epsilon is that of others' accountants."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, norm
from tests.federate.conftest import hospitals_of

from hemocast.errors import NotAgreed
from hemocast.federate import federate
from hemocast.federate.privacy import Privacy, delta_at, normal
from hemocast.federate.receipt import site_card
from hemocast.federate.site import Task

LITTLE = {"clip": 1.0, "noise": 0.2}


def test_noise_has_the_scale_that_was_asked_for() -> None:
    privacy = Privacy(clip=0.5, noise=3.0)
    update = np.full((100, 200), 0.001)
    noise = (privacy.hide(update, b"secret") - update) / privacy.sd
    assert privacy.sd == 1.5
    assert noise.std() == pytest.approx(1, abs=0.015)
    assert kstest(noise.ravel(), "norm").pvalue > 0.01
    np.testing.assert_array_equal(normal(b"one", (2, 3)), normal(b"one", (2, 3)))
    assert abs(np.corrcoef(normal(b"one", (5000,)), normal(b"two", (5000,)))[0, 1]) < 0.05


def test_an_update_is_cut_to_its_length_and_a_short_one_left_alone() -> None:
    privacy = Privacy(clip=2.0, noise=1e-12)
    long, short = np.arange(12.0).reshape(3, 4), np.full((3, 4), 0.1)
    cut = privacy.hide(long, b"s")
    assert np.linalg.norm(cut) == pytest.approx(2)
    np.testing.assert_allclose(cut * np.linalg.norm(long) / 2, long, atol=1e-9)
    np.testing.assert_allclose(privacy.hide(short, b"s"), short, atol=1e-9)
    assert np.isfinite(privacy.hide(np.zeros(3), b"s")).all()


@pytest.mark.parametrize(("epsilon", "ratio"), [(0.0, 0.3), (1.0, 1.0), (3.0, 2.0), (8.0, 1.5)])
def test_delta_is_the_integral_that_defines_it(epsilon: float, ratio: float) -> None:
    def beyond(x: float) -> float:
        return max(0.0, norm.pdf(x, ratio) - np.exp(epsilon) * norm.pdf(x))

    crossing = epsilon / ratio + ratio / 2
    assert delta_at(epsilon, ratio) == pytest.approx(quad(beyond, crossing, crossing + 30)[0])


@pytest.mark.parametrize(
    ("noise", "releases", "delta", "pld", "rdp"),
    [
        (4.0, 11, 1e-5, 7.95524644, 8.5519), (10.0, 11, 1e-5, 2.73778545, 2.9681),
        (22.0, 121, 1e-5, 4.37717810, 4.7286), (2.0, 1, 1e-6, 4.88655412, 5.2216),
    ],
)  # fmt: skip
def test_epsilon_is_that_of_another_accountant(
    noise: float, releases: int, delta: float, pld: float, rdp: float
) -> None:
    # PLDAccountant and RdpAccountant of Google's dp-accounting 0.6.0, Gaussian events with half the
    # noise, since two updates are up to twice the clip apart. Renyi's (Mironov 2017) is a bound.
    found = Privacy(clip=1, noise=noise, delta=delta).epsilon(releases)
    assert found == pytest.approx(pld, rel=1e-7)
    assert found <= rdp


def test_there_is_no_noise_and_no_epsilon_unless_the_plan_says_so() -> None:
    hospitals = hospitals_of(rounds=2)
    site = hospitals.sites["city"]
    found = federate(hospitals.signed, hospitals.sites)
    assert hospitals.signed.plan.privacy is None
    assert all(one.epsilon is None and one.delta is None for one in found.receipts)
    assert "no bound" in site_card(site.receipt(found.head), hospitals.signed)
    assert Privacy(clip=1, noise=1).epsilon(0) == 0


def test_the_same_question_has_the_same_answer_and_another_one_other_noise() -> None:
    site = hospitals_of(privacy=LITTLE).sites["city"]
    task = Task("head", 1, np.zeros((6, 5)), site.counts())
    np.testing.assert_array_equal(site.learn(task), site.learn(task))
    openly = hospitals_of().sites["city"].learn(task)
    other = Task("head", 2, np.zeros((6, 5)), site.counts())
    noise, again = (site.learn(one) - openly for one in (task, other))
    assert np.abs(noise - again).max() > 0.1
    assert site.receipt(openly).rounds == 2


def test_receipts_tell_the_epsilon_of_what_left_and_no_more_leaves_than_agreed() -> None:
    hospitals = hospitals_of(rounds=2, privacy=LITTLE)
    found = federate(hospitals.signed, hospitals.sites)
    assert {one.rounds for one in found.receipts} == {5}
    expected = Privacy(**LITTLE).epsilon(5)
    assert {one.epsilon for one in found.receipts} == {expected}
    assert all(one.holds(hospitals.signed.plan.sites[one.site]) for one in found.receipts)
    site = hospitals.sites["rural"]
    card = site_card(site.receipt(found.head), hospitals.signed)
    assert f"epsilon {expected:.2f} at delta 1e-05" in card
    with pytest.raises(NotAgreed, match="5 updates have left"):
        site.learn(Task("head", 3, np.zeros((6, 5)), site.counts()))


def test_little_noise_changes_little_and_its_spread_is_in_the_interval() -> None:
    whole = hospitals_of(rounds=20)
    noisy = hospitals_of(rounds=20, privacy={"clip": 4.0, "noise": 0.005})
    plain, found = (federate(one.signed, one.sites) for one in (whole, noisy))
    assert 0 < np.abs(found.head - plain.head).max() < 0.1
    for place in (0, 1):
        wider = found.calibration.covariance[place][place]
        assert wider > 0.9 * plain.calibration.covariance[place][place]
    much = hospitals_of(rounds=20, privacy={"clip": 4.0, "noise": 2.0})
    loud = federate(much.signed, much.sites).calibration.covariance
    assert loud[0][0] > 10
    assert np.linalg.eigvalsh(loud).min() > 0
