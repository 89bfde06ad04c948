import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hemocast.stats import Cases, auc
from hemocast.stats.resampling.weights import Ranking, Resampling

cases = st.lists(
    st.tuples(st.booleans(), st.integers(0, 10), st.integers(0, 6)), min_size=4, max_size=25
)


@given(cases)
def test_weights_count_like_repeated_cases(rows: list) -> None:
    label = np.array([row[0] for row in rows])
    score = np.array([float(row[1]) for row in rows])
    weights = np.array([row[2] for row in rows])
    repeated = np.repeat(label, weights)
    assume(repeated.any() and not repeated.all())
    expected = auc(Cases(repeated, np.repeat(score, weights)))
    ranking = Ranking(label, weights[None].astype(float))
    assert ranking.auc(score)[0] == pytest.approx(expected)


def test_every_resample_draws_as_many_patients_as_there_are() -> None:
    everybody = Cases(np.arange(30) % 2, np.arange(30))
    parts = list(Resampling(1000).draw(everybody, width=1 << 13))
    assert len(parts) > 1
    weights = np.concatenate(parts)
    assert weights.shape == (1000, 30)
    assert (weights.sum(axis=1) == 30).all()
