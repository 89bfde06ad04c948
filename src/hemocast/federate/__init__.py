"""Several hospitals, one model: scans stay where they are; weights and counts travel.

What is learned together is the last layer on an encoder that all hospitals have, and the
calibration. The plan that all agree on is signed by who coordinates, and every receipt by its
hospital.
"""

from hemocast.federate.plan import Plan, SignedPlan, sign_plan
from hemocast.federate.privacy import Privacy
from hemocast.federate.receipt import Receipt
from hemocast.federate.run import Federated, federate
from hemocast.federate.site import Findings, Site

__all__ = [
    "Federated", "Findings", "Plan", "Privacy", "Receipt", "SignedPlan", "Site", "federate",
    "sign_plan",
]  # fmt: skip
