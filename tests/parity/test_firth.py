"""Firth's regression against R's logistf, on the example of the paper that made it known.

79 patients with endometrial cancer: Heinze G, Schemper M 2002, Stat Med 21:2409-2419; the table is
printed in Agresti A 2015, Foundations of Linear and Generalized Linear Models, and in R's brglm2.
All 13 patients with neovasculization have the high grade: maximum likelihood has no solution.
"""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.firth import fit_firth

# Pulsatility index / endometrium height in 1/100 mm, by grade; * with neovasculization.
LOW = """
13/164 16/226 8/314 34/268 20/128 5/231 17/180 10/168 26/156 17/231 8/201 7/189 20/315 10/123 18/127
16/176 18/200 28/150 11/133 19/237 10/182 10/313 18/131 14/192 21/164 11/201 17/188 25/193 16/211
19/129 15/172 33/75 24/192 29/202 15/229 12/233 3/290 20/170 23/141 12/225 22/154 42/197 15/175
13/216 14/257 19/137 12/361 13/204 10/217
"""
HIGH = """
8/264 29/88 12/127 20/137 38/97* 22/114* 7/88* 25/91* 15/58* 7/97 48/184 12/111 19/161 2/118 22/144*
40/118* 5/93* 0/117* 21/119 15/106 12/169 49/27* 6/184 5/130 17/96 11/101* 21/98* 5/35 19/102* 33/85
"""
LOGISTF = (3.77455951, 2.92927330, -0.03475175, -2.60416387)
"""Intercept, neovasculization, index and height by logistf 1.24."""


def test_the_papers_example_agrees_with_r() -> None:
    cells = [*LOW.split(), *HIGH.split()]
    pairs = np.array([cell.rstrip("*").split("/") for cell in cells], dtype=float)
    new_vessels = np.array([cell.endswith("*") for cell in cells], dtype=float)
    design = np.column_stack([np.ones(79), new_vessels, pairs[:, 0], pairs[:, 1] / 100])
    grade = np.repeat([0.0, 1.0], [49, 30])
    beta, _ = fit_firth(design, grade)
    assert beta == pytest.approx(LOGISTF, rel=1e-6)
