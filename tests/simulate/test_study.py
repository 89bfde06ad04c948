from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate import Protocol, render_head


def test_same_seed_gives_the_same_head_and_another_gives_another():
    first, again, other = render_head(2), render_head(2), render_head(3)
    assert np.array_equal(first.hu, again.hu)
    assert first.content_hash() != other.content_hash()
    assert first.source.simulated


def test_a_tilted_protocol_is_refused():
    with pytest.raises(ValueError, match="tilt"):
        render_head(0, protocol=Protocol(tilt_degrees=10))
