"""``hemocast card``: a model's card, or a dataset's data sheet, from its records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hemocast.cli.options import output

CARD = "card"


def card(
    path: Annotated[Path, typer.Argument(help="A model's folder, or a dataset's.")],
    dataset: Annotated[
        Path | None, typer.Option(help="The dataset that the model learned from.")
    ] = None,
    evaluation: Annotated[
        Path | None, typer.Option(help="Folder of 'hemocast evaluate', of this model.")
    ] = None,
    predictions: Annotated[Path | None, typer.Option(help="The table evaluated.")] = None,
    out: Annotated[Path | None, output("Folder for model_card.md or datasheet.md.", CARD)] = None,
) -> None:
    """Print a model card (Mitchell 2019), or a data sheet (Gebru 2021) of a dataset, as Markdown.

    What no record says is marked as the author's to write.
    """
    from hemocast.files import claim
    from hemocast.pipeline.study.card import read_card
    from hemocast.pipeline.study.records import Sources
    from hemocast.report.checklists.form import answered

    others = Sources(evaluation, dataset=dataset, predictions=predictions)
    name, text, filled = read_card(path, others)
    if out is None:
        print(text)
        return
    with claim(out, CARD) as folder:
        folder.write_text(name, text)
    print(answered(filled))
    print(f"Card: {(out / name).resolve()}")
