"""``hemocast explain``: heatmaps of one scan by several methods, and how far each is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import Lang, output


def explain(
    scan: Annotated[
        Path, typer.Argument(help="A DICOM folder, a zip or a NIfTI file.", readable=False)
    ],
    model: Annotated[
        Path | None,
        typer.Option(help="A model folder. Default: the demonstration model."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="May be given again: cam (the default, and what pages show), occlusion, "
            "or, with the extra 'train', grad-cam, grad-cam++, integrated-gradients."
        ),
    ] = None,
    out: Annotated[Path, output("Where the maps go.", "explanation")] = Path(
        "hemocast-explanation"
    ),
    lang: Lang = "en",
) -> None:
    """Show where in one scan the model's answer comes from, by each method in turn.

    OUT holds explanation.html with every map, heatmap-METHOD.nii.gz on the scan's grid,
    montage-METHOD.png, and heatmaps.csv: the evidence for hemorrhagic transformation in each
    hemisphere, and whether covering the hottest brain moves the answer more than covering the
    coldest.

    Exit code: 0 written, 2 wrong usage, 4 the scan is refused.
    """
    from hemocast.pipeline.explain import explain_scan
    from hemocast.report.explanation import explained_in_words
    from hemocast.report.language import language

    words = language(lang)
    prediction, methods = explain_scan(scan, model, method or ("cam",), out, lang)
    risk = words.percent(prediction.probability)
    print(words.say("%(risk)s; maps in %(folder)s", risk=risk, folder=out.resolve()))
    for one in methods:
        print(f"{one.method}: {explained_in_words(one, words)}")
    print(words.told(prediction.notice))
