"""AUC, its variance and paired test against R: pROC on aSAH."""

import numpy as np
import pytest

from hemocast.stats import Cases, delong, delong_test

MARKERS = ("wfns", "s100b", "ndka")


@pytest.mark.parametrize("marker", MARKERS)
def test_auc_and_variance_as_proc_gives_them(asah: dict, proc: dict, marker: str) -> None:
    result = delong(Cases(asah["outcome"], asah[marker]))
    assert result.auc[0] == pytest.approx(proc[marker]["auc"], rel=1e-6)
    assert result.covariance[0, 0] == pytest.approx(proc[marker]["var_delong"], rel=1e-6)
    half = 1.959963984540054 * np.sqrt(result.covariance[0, 0])
    low, area, high = proc[marker]["ci_delong"]
    assert (area - half, area + half) == pytest.approx((low, high), rel=1e-6)


@pytest.mark.parametrize("pair", ["s100b_vs_ndka", "wfns_vs_s100b", "wfns_vs_ndka"])
def test_paired_test_as_proc_gives_it(asah: dict, proc: dict, pair: str) -> None:
    first, second = pair.split("_vs_")
    result = delong_test(Cases(asah["outcome"], [asah[first], asah[second]]))
    assert result.z == pytest.approx(proc[pair]["z"], rel=1e-6)
    assert result.p == pytest.approx(proc[pair]["p"], rel=1e-6)
    assert (result.ci_low, result.ci_high) == pytest.approx(proc[pair]["ci"], rel=1e-6)
