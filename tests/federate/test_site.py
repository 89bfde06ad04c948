"""What a hospital says of its patients, and who may take part."""

from __future__ import annotations

import numpy as np
import pytest
from tests.federate.conftest import Hospitals

from hemocast.errors import NotAgreed, TooFewPatients
from hemocast.federate import Findings, Site, federate
from hemocast.federate.site import Counts


def test_nothing_but_weights_counts_and_one_sum_leaves(hospitals: Hospitals) -> None:
    plan = hospitals.signed.plan
    said: list[tuple[str, object]] = []

    class Heard:
        def __init__(self, site: Site) -> None:
            self._site = site

        def __getattr__(self, name: str) -> object:
            asked = getattr(self._site, name)

            def told(*arguments: object) -> object:
                said.append((name, answer := asked(*arguments)))
                return answer

            return told

    federate(hospitals.signed, {name: Heard(site) for name, site in hospitals.sites.items()})
    shapes = {(name, getattr(answer, "shape", type(answer).__name__)) for name, answer in said}
    assert shapes == {
        ("counts", "Counts"), ("learn", (6, plan.width)), ("learn", (2,)),
        ("information", (2, 2)), ("receipt", "Receipt"),
    }  # fmt: skip
    receipts = [str(answer) for name, answer in said if name == "receipt"]
    assert not any(
        str(p) in text
        for text in receipts
        for s in hospitals.sites.values()
        for p in s.findings.patient
    )


def test_who_is_not_in_the_plan_or_has_few_patients_takes_no_part(hospitals: Hospitals) -> None:
    site, key = hospitals.sites["city"], hospitals.keys["rural"]
    with pytest.raises(NotAgreed, match="this key"):
        Site("city", site.findings, hospitals.signed, key)
    few = site.findings.part(np.arange(len(site.findings.label)) < 8)
    with pytest.raises(TooFewPatients):
        Site("city", few, hospitals.signed, hospitals.keys["city"])
    narrow = Findings(site.findings.values[:, :3], site.findings.label, site.findings.patient)
    with pytest.raises(NotAgreed, match="findings a scan"):
        Site("city", narrow, hospitals.signed, hospitals.keys["city"])
    with pytest.raises(NotAgreed, match="not in the plan"):
        federate(hospitals.signed, hospitals.sites | {"other": site})
    assert site.counts() == Counts(180, int(sum(patients_with_ht(site.findings))))


def patients_with_ht(findings: Findings) -> list[int]:
    """Outcome of each patient."""
    people = np.unique(findings.patient.astype(str))
    return [int(findings.label[findings.patient == one].max()) for one in people]
