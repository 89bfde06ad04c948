"""Make `hemocast/assets/infarct_model`: export an encoder, and fit what turns it into mL.

    python benchmarks/infarct_model.py ENCODER OUT [--heads N] [--seed S]

ENCODER is a folder of `hemocast pretrain`. Heads of the preset `wide` that the encoder never saw
are drawn, one in five without the acute infarct; the numbers of the card are fitted to them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.optimize import minimize
from sign_heads import draw_heads, plan

from hemocast.files import replacing
from hemocast.onnx import Session
from hemocast.signs import outline as reading
from hemocast.signs.aspects import MOST, region_evidence
from hemocast.signs.estimate import Estimate
from hemocast.signs.infarct import Infarct, largest_part, measured_uptake
from hemocast.signs.measured import Found
from hemocast.signs.sides import NAMES, lay_out
from hemocast.version import SIMULATOR_VERSION

FALSE_SHARE = 0.1
"""Share of heads without an infarct in which one may be seen."""

LEAST_ML = 2.0
"""Infarcts smaller than this fit nothing."""

Floats = NDArray[np.float64]


def features(found: Found, truth: dict[str, Any], session: Session) -> dict[str, Any]:
    """Return what is fitted on: of one head, what the network says and what was drawn."""
    stack = found.stack
    if stack is None:
        raise ValueError("the scan has no frames")
    sides = lay_out(stack, found.pose, found.config)
    raw, findings, _ = session.read(stack.frames[None])
    seen = reading.Outline(reading.on_cells(raw[0], sides), findings[0])
    side = seen.side
    tissue = sides.tissue[side]
    likely = seen.probability[side] * (tissue > 0)
    mask = np.zeros(sides.hu.shape, np.bool_)
    mass_ml = float((likely * tissue).sum()) * sides.cell_ml
    # The mask that a first guess of the volume gives; its size hardly matters here.
    mask[side] = largest_part(likely, tissue, max(mass_ml, 1.0) / sides.cell_ml)
    one = Infarct(True, Estimate(0, 0, 0), NAMES[side], {}, 0.0, None, mask, None)
    evidence = region_evidence(sides, seen, one, side)
    uptake = measured_uptake(sides, mask)
    return {
        **truth,
        "found_side": NAMES[side],
        "mass_ml": mass_ml,
        "findings": [float(v) for v in seen.findings],
        "evidence": seen.evidence,
        "mask_uptake": uptake,
        "regions": None if evidence is None else evidence[0],
    }


def fit(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the numbers of the card."""
    bare = np.array([row["evidence"] for row in rows if not row["acute"]])
    threshold = float(np.quantile(bare, 1 - FALSE_SHARE))
    acute = [row for row in rows if row["acute"] and row["volume_ml"] >= LEAST_ML]
    seen = [
        row for row in acute if row["evidence"] >= threshold and row["found_side"] == row["side"]
    ]
    missed = [row["volume_ml"] for row in acute if row["evidence"] < threshold]
    volume, v_factors = _log_linear(
        [(row["findings"][reading.VOLUME], np.log(row["mass_ml"] + 0.1)) for row in seen],
        [row["volume_ml"] for row in seen],
    )
    wet = [row for row in seen if row["mask_uptake"] is not None and row["volume_ml"] >= 5]
    uptake, u_factors = _log_linear(
        [
            (row["findings"][reading.UPTAKE], np.log(np.clip(row["mask_uptake"], 0.005, 0.6)))
            for row in wet
        ],
        [row["uptake"] for row in wet],
    )
    of_pale = reading.LEUKOARAIOSIS, reading.SEVERE_LEUKOARAIOSIS
    pale = np.array([[1.0, *(row["findings"][one] for one in of_pale)] for row in rows])
    grade = np.array([row["van_swieten"] for row in rows], float)
    van_swieten = np.linalg.lstsq(pale, grade, rcond=None)[0]
    off = float(np.quantile(np.abs(np.clip(pale @ van_swieten, 0, 4) - grade), 0.95))
    known = [row for row in seen if row["regions"] is not None]
    evidence = np.array([row["regions"] for row in known])[:, :, :3].reshape(-1, 3)
    lost = np.array([row["lost"] for row in known]).ravel()
    region = _logistic(evidence, lost)
    logit = region[0] + evidence @ region[1:]
    score = MOST - (logit.reshape(-1, MOST) > 0).sum(axis=1)
    error = (MOST - lost.reshape(-1, MOST).sum(axis=1)) - score
    spread = [max(-float(np.quantile(error, 0.025)), 1.0), max(float(np.quantile(error, 0.975)), 1)]
    return {
        "seen": round(threshold, 4),
        "unseen_ml": round(float(np.quantile(missed, 0.95)) if missed else 0.0, 1),
        "volume": volume,
        "volume_factors": v_factors,
        "uptake": uptake,
        "uptake_factors": u_factors,
        "van_swieten": [round(float(v), 4) for v in van_swieten],
        "van_swieten_spread": round(off, 2),
        "region": [round(float(v), 4) for v in region],
        "aspects_spread": spread,
    }


def _log_linear(
    given: list[tuple[float, float]], truth: list[float]
) -> tuple[list[float], list[float]]:
    """Fit the logarithm of a truth by least squares; return weights and the ratios' quantiles."""
    design = np.column_stack([np.ones(len(given)), np.array(given)])
    wanted = np.log(truth)
    weights = np.linalg.lstsq(design, wanted, rcond=None)[0]
    low, high = np.exp(np.quantile(wanted - design @ weights, [0.025, 0.975]))
    return [round(float(v), 4) for v in weights], [round(float(low), 3), round(float(high), 3)]


def _logistic(evidence: Floats, label: NDArray[np.int64]) -> Floats:
    """Fit a logistic regression, slopes held down a little."""
    design = np.column_stack([np.ones(len(evidence)), evidence])

    def loss(beta: Floats) -> float:
        eta = design @ beta
        return float((np.logaddexp(0, eta) - label * eta).sum() + 0.05 * (beta[1:] ** 2).sum())

    return np.asarray(minimize(loss, np.zeros(design.shape[1])).x)


def main() -> None:
    """Export, draw, fit, write."""
    from hemocast.train.pretrain.export import export_reader

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("encoder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--heads", type=int, default=250)
    parser.add_argument("--seed", type=int, default=130100)
    asked = parser.parse_args()
    config = plan("wide", asked.seed, asked.heads, 256)
    content, session = b"", None
    rows: list[dict[str, Any]] = []
    kept = asked.out / "rows.jsonl"
    asked.out.mkdir(parents=True, exist_ok=True)
    with kept.open("w") as file:
        for drawn in draw_heads(config, range(asked.heads)):
            if drawn.found is None or drawn.found.stack is None:
                continue
            if session is None:
                content = export_reader(asked.encoder, drawn.found.stack.frames[None])
                session = Session(content, threads=1)
            rows.append(features(drawn.found, drawn.truth, session))
            file.write(json.dumps(rows[-1]) + "\n")
    write(asked.encoder, content, fit(rows), asked.out, f"{len(rows)} heads, seed {asked.seed}")


def write(encoder: Path, content: bytes, numbers: dict[str, Any], out: Path, heads: str) -> None:
    """Write network and card."""
    from hemocast.train.pretrain.encoder import read_about

    about = read_about(encoder)
    card = {
        "simulator_version": SIMULATOR_VERSION,
        "scans": about.scans,
        "steps": about.steps,
        "weights_hash": about.weights_hash,
        "fitted_to": f"simulated, preset wide, {heads}",
        "measured_on": "docs/lab/signs.md",
        **numbers,
    }
    with replacing(out / "outline.onnx") as path:
        path.write_bytes(content)
    with replacing(out / "model.yaml") as path:
        path.write_text(yaml.safe_dump(card, sort_keys=False))


if __name__ == "__main__":
    main()
