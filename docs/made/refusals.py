"""The page of refusals: every code with its cause, and what the messages say to do."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import hemocast
from hemocast import errors
from hemocast.errors import HemocastError
from made import literal

PAGE = "reference/refusals.md"
_EXITS = {
    1: "1, Hemocast's own fault",
    2: "2, wrong usage",
    4: "4, refused",
    5: "5, found by a check",
}
_MOST = 8
"""Wordings that are shown unfolded."""
_HEAD = """# Refusals

Hemocast refuses rather than guesses. A refusal is one line: its code, what was seen, what was expected, what to do. Codes keep
their meaning forever. This page is made from the tree in `hemocast.errors` and from every place in the source that refuses;
an ellipsis stands for what depends on the case. Where some scans of several are refused, the command goes on and ends with exit
code 3.

"""


def pages() -> dict[str, str]:
    """Give the page."""
    lines = ["| code | name | cause |", "|---|---|---|"]
    leaves = [leaf for _, leaf in _leaves(HemocastError)]
    lines += [f"| [{e.code}](#{e.code.lower()}) | `{e.__name__}` | {cause(e)} |" for e in leaves]
    cures = cures_of_source()
    lines.append("")
    branch = ""
    for above, leaf in _leaves(HemocastError):
        if above is not HemocastError and above.__name__ != branch:
            branch = above.__name__
            lines += [f"## {cause(above).rstrip('.')} {{ #{branch.lower()} }}", ""]
        elif not branch:
            branch = "HemocastError"
            lines += ["## The command, its options and the machine", ""]
        elif above is HemocastError and branch != "HemocastError" and leaf.code >= "HC600":
            branch = leaf.__name__
            lines += [f"## {leaf.__name__}", ""]
        lines += _entry(leaf, cures[leaf.__name__])
    return {PAGE: _HEAD + "\n".join(lines)}


def cause(error: type[HemocastError]) -> str:
    """Give the first line of an error's docstring."""
    return (error.__doc__ or "").strip().split("\n")[0]


def _leaves(
    above: type[HemocastError],
) -> Iterator[tuple[type[HemocastError], type[HemocastError]]]:
    for child in above.__subclasses__():
        if child.__module__ == errors.__name__:
            if child.__subclasses__():
                yield from _leaves(child)
            else:
                yield above, child


def _entry(leaf: type[HemocastError], cures: list[str]) -> Iterator[str]:
    yield f"### {leaf.code} {leaf.__name__} {{ #{leaf.code.lower()} }}"
    yield ""
    yield f"{cause(leaf)} Exit code {_EXITS[leaf.exit_code]}."
    yield ""
    if cures:
        folded = len(cures) > _MOST
        many = f"{len(cures)} wordings, by what was refused"
        yield f"<details markdown><summary>What to do: {many}</summary>" * folded
        yield "" if folded else "What to do, as the messages say:"
        yield ""
        yield from (f"- {literal(cure)}." for cure in cures)
        yield ""
        yield from ["</details>", ""] * folded


def cures_of_source() -> dict[str, list[str]]:
    """Read from the source, without running it, what each refusal tells its user to do.

    Returns
    -------
    dict of list of str
        By the error's name; every wording once, sorted.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(Path(hemocast.__file__).parent.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "hemocast.errors" not in text:
            continue
        nodes = list(ast.walk(ast.parse(text)))
        named = _names(nodes)
        for node in nodes:
            if isinstance(node, ast.Call) and len(node.args) + len(node.keywords) >= 3:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                given = {word.arg: word.value for word in node.keywords}
                action = node.args[2] if len(node.args) >= 3 else given.get("action")
                if hasattr(errors, name) and action is not None and (cure := _text(action, named)):
                    found[name].add(cure)
    return defaultdict(list, {name: sorted(texts) for name, texts in found.items()})


def _names(nodes: list[ast.AST]) -> dict[str, str]:
    """Give the texts that a file has names for."""
    return {
        target.id: text
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and (text := _text(node.value, {})) is not None
    }


def _text(node: ast.expr, named: dict[str, str]) -> str | None:
    """Give a text as written, with an ellipsis for what is put in; None for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "..." for one in node.values]
        return "".join(map(str, parts))
    if isinstance(node, ast.Name):
        return named.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, named), _text(node.right, named)
        return None if left is None and right is None else (left or "...") + (right or "...")
    return None
