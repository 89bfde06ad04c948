"""Write the tables of docs/reference/scores.md from the scores' own files.

Run it after a score's file has changed: ``python docs/draw_scores.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from hemocast.classical.scores import all_scores
from hemocast.classical.scores.definition import Item, Part, Score, Step
from hemocast.classical.scores.inputs import INPUTS, OTHER_NAMES

PAGE = Path(__file__).parent / "reference" / "scores.md"
BEGIN, END = "<!-- scores: written by docs/draw_scores.py -->\n", "<!-- end of scores -->\n"


def tables() -> str:
    """Give all that the page says of inputs and scores."""
    lines = ["### Columns", "", "| column | holds | said by the scan |", "|---|---|---|"]
    for given in INPUTS.values():
        holds = given.column.allowed.replace(", or n/a", "")
        lines.append(f"| `{given.column.name}` | {given.meaning}: {holds} | {'yes' * given.sign} |")
    for other in OTHER_NAMES:
        same = f"`{other.name}` in other units: {other.column.allowed.replace(', or n/a', '')}"
        lines.append(f"| `{other.column.name}` | {same} | |")
    for score in all_scores().values():
        lines += ["", *_score(score)]
    return "\n".join([*lines, ""])


def _score(score: Score) -> Iterator[str]:
    low, high = score.range
    yield f"### {score.name}"
    yield ""
    kind = "bleeding" if score.predicts == "bleeding" else "**function, not bleeding**"
    yield f"{score.title}. Predicts {kind}. {low} to {high} points."
    yield ""
    yield f"- Population: {score.population}"
    yield f"- Outcome: {score.outcome}"
    yield f"- Horizon: {score.horizon}"
    for source in score.sources.values():
        where = f"{source.cite}, {source.doi}" if source.doi else source.cite
        yield f"- Source: {where} (read: {source.read})"
    yield ""
    yield "| item | points | |"
    yield "|---|---|---|"
    for item in score.items:
        yield f"| {item.name} | {'; or '.join(map(_part, item.parts))} | {_limits(item)} |"
    for risk in score.risks:
        of = {True: ", with thrombolysis", False: ", without", None: ""}[risk.treated]
        size = f"n = {risk.n:,}" if risk.n else "n not confirmed"
        why = f"; unconfirmed: {risk.unconfirmed}" if risk.unconfirmed else ""
        yield ""
        yield f"{risk.outcome[0].upper()}{risk.outcome[1:]}{of} ({size}{why}): " + ", ".join(
            map(_step, risk.steps)
        )
    yield ""
    yield from (f"- {remark}" for remark in score.remarks)
    for example in score.examples:
        given = ", ".join(f"`{name}` {value:g}" if isinstance(value, float) else f"`{name}` {value}"
                          for name, value in example.given.items())  # fmt: skip
        risk = "" if example.percent is None else f", {example.percent:g} %"
        yield f"- Example: {given}: **{example.points}**{risk}"


def _limits(item: Item) -> str:
    said = [f"unconfirmed: {item.unconfirmed}"] if item.unconfirmed else []
    return "; ".join([*said, *(f"doubt: {doubt.says}" for doubt in item.doubts)])


def _part(part: Part) -> str:
    column = INPUTS[part.input].column
    if part.words is not None:
        told = ", ".join(
            f"{word} {'unknown' if points is None else points}"
            for word, points in part.words.items()
        )
        return f"`{part.input}` {told}"
    if part.per is not None:
        return f"`{part.input}` 1 for every {part.per:g}"
    told, start = [], ""
    for band in part.bands or ():
        end = (
            ""
            if math.isinf(band.end)
            else f"{'<=' if band.up_to is not None else '<'} {band.end:g}"
        )
        told.append(f"{' and '.join(filter(None, (start, end)))}: {band.points}")
        start = f"{'>' if band.up_to is not None else '>='} {band.end:g}"
    unit = part.unit or column.unit
    return f"`{part.input}`{f', {unit}' if unit else ''} {', '.join(told)}"


def _step(step: Step) -> str:
    low, high = step.ends
    points = f"{low}" if low == high else f"{low}-{high}"
    if step.quadratic is not None:
        c0, c1, c2 = step.quadratic
        share = f"{c0:g} {c1:+g} p {c2:+g} p^2 %"
    elif step.below_percent is not None:
        share = f"below {step.below_percent:g} %"
    else:
        share = f"{step.percent:g} %"
    why = f" (unconfirmed: {step.unconfirmed})" if step.unconfirmed else ""
    return f"{points} points {share}{why}"


def main() -> None:
    """Put the tables into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(before + BEGIN + tables() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
