"""A plan is what its coordinator signed, to the last letter."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from hemocast.errors import NotAgreed
from hemocast.federate import Plan, SignedPlan
from hemocast.federate.keys import public_of
from hemocast.train.pretrain.head import RIDGE


def test_what_was_signed_is_read_back_and_nothing_else(hospitals) -> None:
    text, public = hospitals.signed.to_json(), public_of(hospitals.coordinator)
    assert SignedPlan.parse(text, public) == hospitals.signed
    changed = json.loads(text)
    changed["plan"]["rounds"] += 1
    for bad in (json.dumps(changed), "{}", "no json"):
        with pytest.raises(NotAgreed):
            SignedPlan.parse(bad, public)
    with pytest.raises(NotAgreed, match="not as its coordinator signed it"):
        SignedPlan.parse(text, public_of(hospitals.keys["city"]))


def test_apart_the_slopes_are_held_down_as_in_one_place() -> None:
    assert Plan.model_fields["ridge"].default == RIDGE


def test_a_plan_that_cannot_be_is_refused(hospitals) -> None:
    plain = hospitals.signed.plan.model_dump()
    for wrong in ({"spread": (1.0,)}, {"sites": {"a": "12"}}, {"rounds": 0}, {"colour": "red"}):
        with pytest.raises(ValidationError):
            Plan.model_validate(plain | wrong)
