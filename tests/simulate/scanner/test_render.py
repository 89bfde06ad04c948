from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate import Protocol, render_head


def test_same_seed_gives_the_same_head_and_another_gives_another():
    first, again, other = render_head(2), render_head(2), render_head(3)
    assert np.array_equal(first.hu, again.hu)
    assert first.content_hash() != other.content_hash()
    assert first.source.simulated


@pytest.mark.parametrize("protocol", [Protocol(tilt_degrees=10), Protocol(mixed=True)])
def test_a_tilted_or_uneven_protocol_is_refused(protocol):
    with pytest.raises(ValueError, match="tilt"):
        render_head(0, protocol=protocol)
