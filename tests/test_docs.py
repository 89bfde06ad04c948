"""The pages: links lead somewhere, words are spelt, what is made from the program is whole."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from hemocast.classical.scores import rows as scores
from hemocast.dataset.ingest import refusals, sessions
from hemocast.dataset.tables.schema import SCHEMAS
from hemocast.errors import HemocastError
from hemocast.pipeline import crossval, measure, tune
from hemocast.pipeline.benchmark import run as benchmark
from hemocast.pipeline.predictions import folder as predictions
from hemocast.readers.store import export
from hemocast.report.checklists import checklist

pytest.importorskip("mkdocs", reason="the extra 'docs' is not installed")

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
ROOT_PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in ROOT_PAGES), *sorted(DOCS.rglob("*.md"))]
_REQUEST = re.compile(
    r"""(?:<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\bsrc|<link\b[^>]*?\bhref"""
    r"""|<object\b[^>]*?\bdata)=["']?(?P<tag>(?:https?:)?//[^"'\s>]+)"""
    r"""|url\(["']?(?P<css>(?:https?:)?//[^)"']+)|@import\s+["'](?P<more>(?:https?:)?//[^"']+)"""
)


@pytest.fixture(scope="module")
def hook() -> Iterator[ModuleType]:
    """Return the site's hook, which makes pages."""
    sys.path.insert(0, str(DOCS))
    spec = importlib.util.spec_from_file_location("docs_hook", DOCS / "hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(DOCS))


def _prose(text: str) -> str:
    """Give a page without its blocks of code."""
    parts = re.split(r"^ *```.*$", text, flags=re.MULTILINE)
    return "".join(parts[::2])


def _anchors(text: str) -> set[str]:
    """Give the anchors of a page's headings, as the site and the forge name them."""
    from markdown.extensions.toc import slugify

    found: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", _prose(text), re.MULTILINE):
        given = re.search(r"\{ *#([\w-]+) *\}$", heading)
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", heading)
        found.add(given[1] if given else slugify(plain, "-"))
    return found


def test_every_link_leads_to_a_file_and_a_heading(hook: ModuleType) -> None:
    made = {(DOCS / path): text for path, text in hook.made_pages().items()}
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES} | made
    anchors = {page: _anchors(text) for page, text in texts.items()}
    broken = []
    for page, text in texts.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(text)):
            path, _, anchor = unquote(target).partition("#")
            if re.match(r"\w+:", path):
                continue
            there = (page.parent / path).resolve() if path else page
            known = anchors.get(there) if there in texts or not there.exists() else {anchor}
            if known is None or (anchor and anchor not in known):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def test_every_page_is_in_the_navigation(hook: ModuleType) -> None:
    def named(item: Any) -> Iterator[str]:
        if isinstance(item, str):
            yield item
        else:
            for inner in item.values() if isinstance(item, dict) else item:
                yield from named(inner)

    listed = list(named(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    pages = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    pages |= set(hook.made_pages())
    inside = [one for one in listed if one.endswith("/")]
    assert {page for page in pages if not page.startswith(tuple(inside))} == {*listed} - {*inside}
    assert all(any(page.startswith(folder) for page in pages) for folder in inside)


def test_words_are_spelt() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "codespell_lib", *PAGES],
        capture_output=True, text=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert done.stdout == ""
    assert done.returncode == 0, done.stderr


def test_every_command_option_and_default_is_on_its_page(hook: ModuleType) -> None:
    pages = hook.made_pages()
    predict = pages["reference/commands/predict.md"]
    assert "hemocast predict PATHS... [OPTIONS]" in predict
    assert "| `--device` | `cpu` or `cuda` or `auto` | `cpu` |" in predict
    assert "## hemocast serve account token" in pages["reference/commands/serve.md"]
    assert "whole number from 2 to 100000" in pages["reference/commands/simulate.md"]


def test_every_refusal_has_its_cause_and_its_cure(hook: ModuleType) -> None:
    def leaves(error: type[HemocastError]) -> Iterator[type[HemocastError]]:
        children = error.__subclasses__()
        yield from (leaf for child in children for leaf in leaves(child))
        if not children:
            yield error

    page = hook.made_pages()["reference/refusals.md"]
    for leaf in leaves(HemocastError):
        entry = page.split(f"### {leaf.code} {leaf.__name__} ")[1].split("\n### ")[0]
        assert hook.refusals.cause(leaf) in entry, leaf
        assert "What to do" in entry, leaf
        assert "\n- " in entry, leaf


def test_every_column_of_a_dataset_is_on_the_page_of_tables(hook: ModuleType) -> None:
    page = hook.made_pages()["reference/tables.md"]
    for schema in SCHEMAS:
        entry = page.split(f"### {schema.name}.tsv\n")[1].split("\n### ")[0]
        assert all(f"| `{column.name}` |" in entry for column in schema.columns)
    assert "[^" not in page


def test_every_table_that_is_written_is_on_the_page_of_tables_with_its_columns(
    hook: ModuleType,
) -> None:
    page = hook.made_pages()["reference/tables.md"]
    for table in hook.tables.written.tables():
        name = table.name.replace("*", "NAME")
        entry = page.split(f"### {name}, of `hemocast {table.of}`\n")[1].split("\n### ")[0]
        assert table.printed or table.columns, table.name
        for column, _ in table.columns:
            assert f"| `{column.replace('*', '...')}` |" in entry, (table.name, column)


@pytest.mark.parametrize(
    ("name", "of", "columns"),
    [
        ("predictions.csv", "predict", predictions.COLUMNS),
        ("measurements.csv", "measure", measure.COLUMNS),
        ("scores.csv", "score", (*scores.COLUMNS, "simulated")),
        ("predictions.csv", "crossval", (*crossval.COLUMNS, "site")),
        ("trials.csv", "tune", tune.COLUMNS),
        ("benchmark.csv", "benchmark", benchmark.COLUMNS),
        ("comparisons.csv", "benchmark", benchmark.CONTRAST_COLUMNS),
        ("readings.csv", "readers export", (*export.COLUMNS, "simulated")),
        ("readings_log.csv", "readers export", (*export.LOG_COLUMNS, "simulated")),
        ("refused.tsv", "ingest", refusals.REFUSED_COLUMNS),
        ("left_out.tsv", "ingest", refusals.LEFT_OUT_COLUMNS),
        ("sessions.tsv", "ingest", sessions.SESSIONS_COLUMNS),
        ("checklists.csv", "study", (*checklist.COLUMNS, "simulated")),
    ],
)
def test_the_columns_on_the_page_are_those_that_the_command_writes(
    hook: ModuleType, name: str, of: str, columns: Sequence[str]
) -> None:
    (table,) = (t for t in hook.tables.written.tables() if (t.name, t.of) == (name, of))
    assert [one for one in columns if not any(fnmatch(one, to) for to, _ in table.columns)] == []
    assert [to for to, _ in table.columns if not any(fnmatch(one, to) for one in columns)] == []


def test_a_table_or_a_column_that_no_page_lists_is_found(
    unlisted: Callable[[Iterable[Path]], list[str]], tmp_path: Path
) -> None:
    known, strange = tmp_path / "metrics.csv", tmp_path / "mood.csv"
    known.write_text("model,metric,value,mood\n")
    strange.write_text("model\n")
    assert unlisted([known, strange]) == ["metrics.csv: mood", "mood.csv: no such table"]


def test_a_graph_is_drawn_with_every_arrow_downwards(hook: ModuleType) -> None:
    arrows = [("a", "b"), ("b", "c"), ("a", "c")]
    assert hook.rooms.ranks(arrows) == {"a": 0, "b": 1, "c": 2}
    drawn = hook.rooms.drawn("```mermaid\nflowchart TD\n    a --> b\n    b --> c\n```\n")
    assert drawn.count("<path") == 2
    assert drawn.count("<rect") == 3
    assert "mermaid" not in drawn


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, built with every warning an error."""
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", out],
        cwd=ROOT, capture_output=True, text=True, timeout=900,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return out


@pytest.mark.slow
def test_no_page_asks_the_network_for_anything(site: Path) -> None:
    files = [path for kind in ("html", "css") for path in site.rglob(f"*.{kind}")]
    assert len(files) > 80
    for path in files:
        asked = [found[0] for found in _REQUEST.finditer(path.read_text(encoding="utf-8"))]
        assert [one for one in asked if "rel=canonical" not in one] == [], path


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_opened_as_files_fit_ask_nothing_and_are_found(
    site: Path, browser: Any, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    for name in ("index", "architecture", "reference/refusals", "reference/python/stats"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    if width < 1000:
        page.click("label[for=__search] >> visible=true")
    page.type("input.md-search__input", "HC203")
    page.wait_for_selector(".md-search-result__link[href*=refusals]", timeout=30_000)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert faults == []
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(DOCS.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_runs_and_prints_what_it_was_saved_with(path: Path, tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="the extra 'docs' is not installed")
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient

    def printed(notebook: Any) -> list[str]:
        # What a cell prints may come in several pieces.
        cells = [cell.get("outputs", ()) for cell in notebook.cells]
        return ["".join(one.get("text", "a figure") for one in outputs) for outputs in cells]

    saved = nbformat.read(path, as_version=4)
    again = nbformat.read(path, as_version=4)
    manager = KernelManager(transport="ipc", ip=str(tmp_path / "kernel"))
    NotebookClient(again, timeout=300, km=manager).execute()
    assert len(printed(saved)) > 4
    assert printed(again) == printed(saved)
