"""One scan and a model in; heatmaps by several methods out, with how far each can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hemocast.explain import agreement, deletion_and_insertion, explain, method_of
from hemocast.files import Output, claim
from hemocast.report.explanation import PAGE, Explained, explanation_page
from hemocast.report.language import language

if TYPE_CHECKING:
    from hemocast.model import Model, Prediction
    from hemocast.nets import Network
    from hemocast.volume import FloatArray, Volume

KIND = "explanation"
TABLE = "heatmaps.csv"


def explain_scan(
    path: Path, model_folder: Path | None, methods: Sequence[str], out: Path, lang: str = "en"
) -> tuple[Prediction, list[Explained]]:
    """Write a page, a table, and ``heatmap-METHOD.nii.gz`` on the scan's grid with its picture.

    A model from measurements that looks at no places has no map of its own (``cam``), but others.

    Parameters
    ----------
    path : Path
        A DICOM folder, a zip or a NIfTI file with one scan.
    model_folder : Path or None
        None: the demonstration model.
    methods : sequence of str
        Of `hemocast.explain.METHODS`.
    out : Path
        New, empty, or an earlier explanation.
    lang : str
        Language of the page.

    Raises
    ------
    HemocastError
        The scan is refused as by prediction, the folder cannot be used, or torch is missing for a
        method that needs it.
    """
    from hemocast.dicom import read
    from hemocast.model import load, load_default, load_network

    model = load(model_folder) if model_folder else load_default()
    network = None
    chosen = [method_of(method) for method in methods]  # before anything is read
    if any(one.by_gradients for one in chosen):
        network = load_network(model_folder)
    with claim(out, KIND) as output:
        output.check()  # before any work
        volume = read(path)
        prediction = model.predict(volume, scan_id="scan")
        said = [_explained(model, prediction, method, network) for method in methods]
        shown = [(one, _shown(prediction, one.method, values)) for one, values in said]
        for one, map_of in shown:
            _write(output, one.method, map_of, volume)
        output.write_text(PAGE, explanation_page(shown, language(lang)))
        rows = [_row(one) for one, _ in said]
        output.write_table(TABLE, rows, tuple(rows[0]))
    return prediction, [one for one, _ in said]


def _explained(
    model: Model, prediction: Prediction, method: str, network: Network | None
) -> tuple[Explained, FloatArray]:
    stack = prediction.stack
    own = method == "cam"  # the prediction has it already
    values = prediction.heatmap if own else explain(model, stack, method, network)
    positive = np.maximum(values, 0)
    total, middle = float(positive.sum()), stack.frames.shape[2] // 2
    right = float(positive[..., :middle].sum()) / total if total else None
    known = right is not None and stack.record.sides_known
    curves = deletion_and_insertion(model.logits, stack, values)
    return Explained(
        method,
        prediction.heatmap_kind if own else method_of(method).words,
        right if known else None,
        1 - right if known and right is not None else None,
        curves.gain,
        agreement(values, prediction.heatmap, stack.brain),
    ), values


def _shown(prediction: Prediction, method: str, values: FloatArray) -> Prediction:
    """Return what a page shows of a method; the prediction's own map says itself what it is."""
    if method == "cam":
        return prediction
    return replace(prediction, heatmap=values, heatmap_kind=method_of(method).words)


def _write(output: Output, method: str, shown: Prediction, volume: Volume) -> None:
    from hemocast import dicom, report
    from hemocast.model import heatmap_on_scan

    with output.replacing(f"montage-{method}.png") as path:
        report.write_montage(shown, path)
    if not shown.has_heatmap:  # the class activation map of a model that looks at no places
        return
    with output.replacing(f"heatmap-{method}.nii.gz") as path:
        dicom.write_nifti(
            heatmap_on_scan(shown, volume),
            volume.affine,
            path,
            scaled=True,
            description=shown.notice.replace(" scan;", "")[:79],
            sides_known=shown.stack.record.sides_known,
        )


def _row(one: Explained) -> dict[str, str]:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.4f}"

    return {
        "method": one.method,
        "evidence_right": number(one.right),
        "evidence_left": number(one.left),
        "insertion_minus_deletion": number(one.gain),
        "agreement_with_cam": number(one.like_cam),
    }
