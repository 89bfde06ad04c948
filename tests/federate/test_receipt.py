"""A receipt says what a hospital did, and only it can have said so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.federate.conftest import Hospitals, Unsteady

from hemocast.errors import NotAgreed
from hemocast.federate import federate
from hemocast.federate.receipt import site_card


def test_receipts_are_signed_and_a_forged_one_ends_it(hospitals: Hospitals) -> None:
    found = federate(hospitals.signed, hospitals.sites)
    receipt = found.receipts[0]
    assert receipt.holds(hospitals.signed.plan.sites[receipt.site])
    assert not replace(receipt, n_patients=1).holds(hospitals.signed.plan.sites[receipt.site])
    card = site_card(receipt, hospitals.signed)
    assert f"Patients {receipt.n_patients}, {receipt.n_events} with HT" in card
    assert "What did not: scans, findings, logits, labels, names." in " ".join(card.split())

    class Forger(Unsteady):
        def receipt(self, weights: np.ndarray) -> object:
            return replace(self._site.receipt(weights), n_patients=9)

    forged = {"city": Forger(hospitals.sites["city"], set())}
    with pytest.raises(NotAgreed, match="receipt"):
        federate(hospitals.signed, hospitals.sites | forged)
