"""What a hospital and the coordinator keep on disk, whatever carries their messages.

A hospital's folder holds its key, its name, the plan, the coordinator's public key, the findings
that it answers from and what it has answered; the coordinator's the plan, the weights of the last
round and the result.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from hemocast.config import Settings
from hemocast.errors import NotAgreed, NothingThere
from hemocast.federate.keys import read_key
from hemocast.federate.plan import DIGITS_64, FOLDS, SITE_NAME, SignedPlan
from hemocast.federate.receipt import Receipt, check_receipts
from hemocast.federate.run import Federated
from hemocast.federate.site import Findings, Site
from hemocast.files import write_bytes, write_json
from hemocast.model.calibrate import Calibration

PLAN, COORDINATOR, KEY, FINDINGS = "plan.json", "coordinator.pub", "site.key", "findings.npz"
ENROLMENT, ANSWERED, RESULT, STATE = "site.json", "answered.txt", "result.json", "state.json"
_LARGEST = 1 << 24
"""Bytes of a plan, an enrolment or a result beyond which it is not read."""


class Enrolment(Settings):
    """What a hospital sends to the coordinator, before there is a plan.

    Parameters
    ----------
    site : str
        Its name.
    key : str
        Its public key, 64 hexadecimal digits.
    """

    schema_version: int = 1
    site: str = Field(pattern=SITE_NAME)
    key: str = Field(pattern=DIGITS_64)


class Result(Settings):
    """``result.json``: what came of the rounds, as it goes to the hospitals.

    Parameters
    ----------
    head : tuple of tuple of float
        `Federated.head`.
    calibration : Calibration
    receipts : tuple of Receipt
        Of the hospitals that were there at the end.
    took_part : tuple of tuple of str
        Of every round, who answered.
    """

    schema_version: Literal[2] = 2
    head: tuple[tuple[float, ...], ...]
    calibration: Calibration
    receipts: tuple[Receipt, ...]
    took_part: tuple[tuple[str, ...], ...]


def read_enrolment(path: Path) -> Enrolment:
    """Read what a hospital sent.

    Raises
    ------
    NothingThere
        There is no such file.
    NotAgreed
        It holds something else.
    """
    try:
        return Enrolment.model_validate(_json(path))
    except ValidationError as error:
        raise NotAgreed(
            "The file is no hospital's enrolment",
            f"{ENROLMENT}, as 'hemocast federate enrol' writes it",
            "Ask the hospital for it again",
        ) from error


def read_plan(folder: Path) -> SignedPlan:
    """Read a folder's plan, which must be as the coordinator signed it.

    Raises
    ------
    NothingThere
        There is none.
    NotAgreed
        See `SignedPlan.parse`.
    """
    return read_signed(folder / PLAN, _text(folder / COORDINATOR).strip())


def read_signed(path: Path, coordinator: str) -> SignedPlan:
    """Read a plan as it was sent.

    Parameters
    ----------
    path : Path
    coordinator : str
        Public key, as the hospital got it by another way.

    Raises
    ------
    NothingThere, NotAgreed
        As `read_plan` says.
    """
    return SignedPlan.parse(_text(path), coordinator)


def read_site(folder: Path, name: str) -> Site:
    """Read a hospital from its folder.

    Raises
    ------
    NothingThere
        A file is missing.
    NotAgreed, TooFewPatients
        As `Site` and `read_plan` say.
    """
    values, label, patient = read_arrays(folder / FINDINGS, "values", "label", "patient")
    findings = Findings(values, label, patient.astype(object))
    site = Site(name, findings, read_plan(folder), read_key(folder / KEY))
    if (folder / ANSWERED).is_file():
        site.answered.extend((folder / ANSWERED).read_text(encoding="ascii").split())
    return site


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write arrays to a file for its owner only; no object is pickled."""
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_bytes(path, content.getvalue(), private=True)


def read_arrays(path: Path, *names: str) -> tuple[NDArray[Any], ...]:
    """Read arrays that `write_arrays` wrote.

    Raises
    ------
    NothingThere
        There is no such file.
    NotAgreed
        It holds something else.
    """
    _need(path)
    try:
        with np.load(path, allow_pickle=False) as kept:
            return tuple(kept[name] for name in names)
    except (ValueError, KeyError, EOFError, OSError, BadZipFile) as error:
        raise NotAgreed(
            f"{path.name} cannot be read", "as it was written", "Prepare the dataset again"
        ) from error


def write_findings(folder: Path, findings: Findings) -> None:
    """Write what a hospital answers from."""
    patient = findings.patient.astype(str)
    write_arrays(folder / FINDINGS, values=findings.values, label=findings.label, patient=patient)


def write_result(folder: Path, found: Federated) -> None:
    """Write what came of the rounds."""
    result = Result(
        head=tuple(map(tuple, found.head.tolist())),
        calibration=found.calibration,
        receipts=found.receipts,
        took_part=found.took_part,
    )
    write_json(folder / RESULT, result.model_dump(mode="json"))


def read_result(path: Path, signed: SignedPlan) -> Federated:
    """Read what came of the rounds, as a hospital that took part does.

    Raises
    ------
    NothingThere
        There is no such file.
    NotAgreed
        It is no result of this plan, or a receipt in it is not of these weights, or not signed by
        its hospital, or there are fewer than the plan's least.
    """
    try:
        result = Result.model_validate(_json(path))
    except ValidationError as error:
        raise _no_result("The file is no result of a federation") from error
    head = np.array(result.head, np.float64)
    if head.shape != (1 + FOLDS, signed.plan.width) or not np.isfinite(head).all():
        raise _no_result("The result's weights are not as many as the plan's")
    receipts = {one.site: one for one in result.receipts}
    if len(receipts) < min(signed.plan.least_sites, len(signed.plan.sites)):
        raise _no_result(f"The result holds receipts of {len(receipts)} hospital(s)")
    check_receipts(receipts, signed, head)
    return Federated.of(
        signed, head, result.calibration, tuple(receipts.values()), result.took_part
    )


def _no_result(seen: str) -> NotAgreed:
    return NotAgreed(
        seen,
        f"{RESULT} of the plan in this folder, with the receipts that the plan asks for",
        "Ask the coordinator for it again",
    )


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError):
        return None


def _text(path: Path) -> str:
    _need(path)
    if path.stat().st_size > _LARGEST:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def _need(path: Path) -> None:
    if not path.is_file():
        raise NothingThere(
            f"There is no {path.name} in the folder",
            "a file that an earlier step makes, or that was sent",
            "Check the path, or take the step before: docs/how-to/federate.md",
        )
