"""Partial AUC against R: pROC's own tests of it on aSAH."""

import pytest

from hemocast.stats import Cases, roc_curve
from hemocast.stats.discrimination.partial import Axis, PartialRange


@pytest.mark.parametrize(
    ("marker", "axis", "ends", "area", "standardized"),
    [
        ("wfns", "specificity", (0.9, 1), 0.0334417344173442, 0.649693339038653),
        ("wfns", "specificity", (0.8, 0.9), 0.0598373983739837, 0.763749402199904),
        ("wfns", "specificity", (0, 0.5), 0.488134475939354, 0.952537903757416),
        ("ndka", "specificity", (0.9, 1), 0.0107046070460705, 0.530024247610897),
        ("wfns", "sensitivity", (0.9, 1), 0.0400999322493225, 0.68473648552275),
        ("wfns", "sensitivity", (0.8, 0.9), 0.0609953703703703, 0.770561002178649),
        ("ndka", "sensitivity", (0, 0.5), 0.428523035230352, 0.714092140921409),
    ],
)
def test_area_and_correction_as_proc_gives_them(
    asah: dict, marker: str, axis: Axis, ends: tuple[float, float], area: float, standardized: float
) -> None:
    curve = roc_curve(Cases(asah["outcome"], asah[marker]))
    within = PartialRange(axis, *ends)
    own = within.area(curve.fpr, curve.tpr)
    assert own == pytest.approx(area, rel=1e-9)
    assert within.standardized(own) == pytest.approx(standardized, rel=1e-9)
