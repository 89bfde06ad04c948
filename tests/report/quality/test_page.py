"""The quality page: everything counted, everything escaped, usable with hundreds of scans."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from hemocast.cli.quality import quality
from hemocast.dataset import Dataset
from hemocast.dataset.scan_id import ScanId
from hemocast.dicom import write_nifti
from hemocast.errors import NothingThere
from hemocast.pipeline.quality import write_quality_report
from hemocast.report.page import TEMPLATES
from hemocast.report.quality.thumbnails import make_thumbnail

SPACING = (5.0, 0.9, 0.9)
HOSTILE = (
    "<script>alert(1)</script>\"' onerror=x {{ 7*7 }} {% raw %} </style> &lt; \u202e\u0000\x1b[31m "
)
CHROMIUM = shutil.which("chromium")

WriteScan = Callable[..., Path]


def head(shape: tuple[int, int, int] = (30, 128, 120), spacing=SPACING) -> np.ndarray:
    """A skull around grey matter with a dark blob in the patient's right front, and a bright dot at
    the left."""
    axes = [(np.arange(n) - n / 2) * mm for n, mm in zip(shape, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    out = (x / 50) ** 2 + (y / 55) ** 2 + (z / 65) ** 2
    hu = np.where(out < 1, 35.0, -1000.0)
    hu[(out >= 1) & (out < 1.25)] = 1000.0
    hu[(x + 22) ** 2 + (y + 20) ** 2 < 12**2] = 4.0
    return hu.astype(np.float32)


def affine(spacing=SPACING) -> np.ndarray:
    """Voxel (x, y, z) of a `Volume` to RAS+ mm: x runs to the left, y to the back."""
    z, y, x = spacing
    return np.diag([-x, -y, z, 1.0])


@pytest.fixture
def write_scan(tmp_path: Path) -> WriteScan:
    """Write one scan of the dataset in `tmp_path`; keywords replace the sidecar's fields."""
    plain = head()

    def write(participant: str = "sub-01", session: str = "ses-01", *, hu=None, **fields) -> Path:
        path = Dataset(tmp_path).scan_path(ScanId(participant, session))
        path.parent.mkdir(parents=True)
        write_nifti(plain if hu is None else hu, affine(), path)
        content = {
            "participant_id": participant,
            "session": session,
            "scan_uid": "0123456789abcdef",
            "acq_time": "1911-01-08T14:45:52",
            "shape": [30, 128, 120],
            "spacing_mm": list(SPACING),
            "simulated": False,
            "facts": {
                "manufacturer": "SIEMENS",
                "model": "SOMATOM",
                "kernel": "H31s",
                "kvp": 120.0,
                "slice_thickness_mm": [2.5, 5.0],
                "tilt_degrees": -13.43,
                "steps_mm": [2.5, 2.5, 7.5],
            },
            "corrected": [],
            "doubts": [],
            "left_out": [],
        } | fields
        path.with_name(path.name.removesuffix(".nii.gz") + ".json").write_text(json.dumps(content))
        return path

    return write


def report(root: Path) -> str:
    own = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}]}
    if not (root / "dataset_description.json").exists():
        (root / "dataset_description.json").write_text(json.dumps(own))
    return write_quality_report(Dataset(root)).read_text(encoding="utf-8")


def cells(page: str) -> list[list[str]]:
    """Words of every cell of the scans' table, row by row."""
    body = page.split('id="scans"')[1].split("<tbody>")[1].split("</tbody>")[0]
    strip = lambda cell: " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())  # noqa: E731
    return [
        [strip(cell) for cell in re.split(r"<t[hd][ >]", row)[1:]] for row in body.split("<tr ")[1:]
    ]


class Seen(HTMLParser):
    """Tags and attributes as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)


def picture(address: str) -> np.ndarray:
    content = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_row_says_what_the_scan_is(
    tmp_path: Path, write_scan: WriteScan, html_faults: Callable[[str], list[str]]
) -> None:
    write_scan(
        corrected=["gantry tilt of 13.4 degrees taken out"],
        doubts=["the images are marked as derived"],
        signs={"blood": True, "blood_ml": 3.42},
    )
    page = report(tmp_path)
    assert html_faults(page) == []
    (row,) = cells(page)
    text = " | ".join(row)
    for words in (
        "sub-01 ses-01, first",
        "150",
        "-13.4",
        "128 \N{MULTIPLICATION SIGN} 120",
        "SIEMENS SOMATOM",
    ):
        assert words in text
    for words in ("2.50 to 7.50", "2.5, 5 thick", "H31s, 120 kV", "gantry tilt of 13.4 degrees"):
        assert words in text
    assert "blood 3.4 mL" in text
    assert "marked as derived" in text
    assert "simulated" not in text.lower()
    assert "SIMULATED" not in page


def test_the_hours_run_from_the_first_scan(tmp_path: Path, write_scan: WriteScan) -> None:
    write_scan(session="ses-01", acq_time="1911-01-08T12:00:00")
    write_scan(session="ses-02", acq_time="1911-01-09T00:30:00")
    write_scan(session="ses-03", acq_time=None)
    first, second, third = (row[0] for row in cells(report(tmp_path)))
    assert ", first" in first
    assert "+12.5 h" in second
    assert "h" not in third.split("ses-03")[1]
    assert "1911" not in report(tmp_path)


def test_what_did_not_enter_is_counted_with_its_reason(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    write_scan("sub-01")
    write_scan("sub-02")
    folder = tmp_path / "quality"
    folder.mkdir()
    (folder / "refused.tsv").write_text(
        "participant_id\tcode\tmessage\n"
        "sub-03\tHC207\tHC207 The scan was made with contrast agent.\n"
        "sub-04\tHC207\tHC207 The scan was made with contrast agent.\n"
        "sub-05\tHC998\tHC998 A code of the future.\n"
    )
    (folder / "left_out.tsv").write_text(
        "participant_id\tsession\tseries\timages\tcode\treason\n"
        "sub-01\tses-01\t1\t2\tlocalizer\tlocalizer\n"
        "sub-02\tses-01\t7\t1\tlocalizer\tlocalizer\n"
        "sub-02\tses-01\t3\t30\tnot-preferred\tanother: series 2, for covers 150 mm\n"
        "sub-03\tn/a\t4\t30\tcontrast\tmade with contrast agent\n"
    )
    page = report(tmp_path)
    flow = page.split('class="flowchart"')[1].split("</svg>")[0]
    for words in ("5 studies found", "3 studies refused", "2 studies entered", "5 series in them"):
        assert words in flow
    for words in ("3 series left out", "2  localizer", "2 scans kept", "of 2 participants"):
        assert words in flow
    assert "2  HC207  Contrast agent was given" in flow
    assert "1  another series of the study was preferred" in flow
    assert "A code that this version does not know." in page
    assert "HC998 A code of the future." in page
    assert "In others" in page


def test_sources_and_single_files_are_not_counted_as_studies_and_series(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    write_scan()
    folder = tmp_path / "quality"
    folder.mkdir()
    (folder / "refused.tsv").write_text(
        "participant_id\tcode\tmessage\tstudy\n"
        "n/a\tHC105\tSource 1 of 2: HC105 A zip.\tn/a\n"
        "sub-05\tHC203\tHC203 A gap.\tstd-1\n"
        "sub-05\tHC302\tHC302 No brain.\tstd-1\n"
    )
    (folder / "left_out.tsv").write_text(
        "participant_id\tsession\timages\tcode\treason\tstudy\n"
        "n/a\tn/a\t12\tnot-dicom\tnot DICOM images\tn/a\n"
        "sub-05\tn/a\t2\tlocalizer\tlocalizer\tstd-1\n"
    )
    page = report(tmp_path)
    assert "2 studies found" in page
    assert "entered or refused; 1 source could not be read" in page
    assert "1 study and 1 source refused" in page
    assert "1 study refused, partly for several reasons" in page
    assert "1 series and 12 files left out" in page
    assert "1 series in them" in page


def test_without_tables_the_sidecars_say_what_was_left_out(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    write_scan(left_out=[{"code": "localizer", "images": 2, "series": 1, "detail": ""}])
    page = report(tmp_path)
    assert "1 series left out" in page
    assert "localizer" in page
    assert "could not be read" not in page


def test_what_version_0_1_said_of_series_is_shown_as_it_said_it(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    write_scan(left_out=["series 1 (2 image(s)) left out: localizer"])
    page = report(tmp_path)
    assert "1 series left out" in page
    assert "image(s)) left out: localizer" in page
    folder = tmp_path / "quality"
    (folder / "left_out.tsv").write_text(
        "participant_id\tsession\treason\n"
        "sub-01\tses-01\tseries 1 (2 image(s)) left out: localizer\n"
        "n/a\tn/a\t12 file(s) left out: not DICOM\n"
    )
    page = report(tmp_path)
    assert "1 series and 1 files left out" in page
    assert "image(s)) left out: localizer" in page
    assert "could not be read" not in page


def test_simulated_scans_say_so_everywhere(tmp_path: Path, write_scan: WriteScan) -> None:
    write_scan("sub-01", simulated=True)
    write_scan("sub-02")
    page = report(tmp_path)
    assert "SIMULATED: 1 of the 2 scans" in page
    one, other = cells(page)
    assert "simulated" in one[-1]
    assert "simulated" not in other[-1]
    (tmp_path / "dataset_description.json").write_text('{"Simulated": true}')
    assert page.count("<title>SIMULATED") == 1


def test_a_simulated_file_is_marked_though_its_sidecar_denies_it(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    path = write_scan()
    plain = make_thumbnail(path)
    write_nifti(head(), affine(), path, description="SIMULATED, not a patient")
    marked = make_thumbnail(path)
    assert (plain.simulated, marked.simulated) == (False, True)
    assert not np.array_equal(picture(plain.address)[-14:], picture(marked.address)[-14:])
    assert "every scan here was made by a program" in report(tmp_path)


def test_hostile_text_is_only_ever_text(tmp_path: Path, write_scan: WriteScan) -> None:
    write_scan(
        "sub-<b onerror=x>\"'&amp;",
        "ses-<i onerror=x>",
        corrected=[HOSTILE] * 99,
        doubts=[HOSTILE * 1000, 7, None],
        facts={"manufacturer": HOSTILE, "model": HOSTILE, "kernel": HOSTILE, "kvp": HOSTILE},
        signs={"blood": HOSTILE, "blood_ml": HOSTILE},
    )
    (tmp_path / "quality").mkdir()
    cell = HOSTILE.replace("\x00", "").replace('"', '""')
    for name, columns in (
        ("refused", "participant_id\tcode\tmessage"),
        ("left_out", "participant_id\tsession\treason"),
    ):
        row = "\t".join([f'"{cell}"'] * 3)
        (tmp_path / "quality" / f"{name}.tsv").write_text(f"{columns}\n{row}\n")
    page = report(tmp_path)
    assert page.count("<script>") == 1
    assert page.count("</style>") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7*7 }}" in html.unescape(page)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", page)
    seen = Seen()
    seen.feed(page)
    assert not {name for name in seen.attributes if name.startswith("on")}
    assert not seen.tags & {"b", "i"}
    assert len(page) < 200_000


def test_sidecars_with_nonsense_are_told_and_cost_only_their_values(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    for i, fields in enumerate(
        (
            {"shape": "x", "spacing_mm": [1, 2], "facts": [], "signs": 3, "corrected": {}},
            {"shape": [1e400, None, True], "spacing_mm": ["5", {}, []], "acq_time": 7},
            {"shape": [10**30, 5, 5], "facts": {"steps_mm": ["a"], "tilt_degrees": [1]}},
            {"acq_time": "1911-01-08T14:45:52+01:00", "doubts": "the scan"},
        )
    ):
        write_scan(f"sub-{i}", **fields)
    broken = write_scan("sub-8")
    broken.with_name("sub-8_ses-01_ct.json").write_text("[" * 100_000)
    page = report(tmp_path)
    assert len(cells(page)) == 5
    assert "The sidecar of sub-0_ses-01 is odd in: corrected, facts, shape" in page
    assert page.count("data:image/jpeg") == 5
    assert "The sidecar of sub-8_ses-01 is no JSON, or cut off" in report(tmp_path)


def test_damaged_pictures_and_tables_are_told(tmp_path: Path, write_scan: WriteScan) -> None:
    good = write_scan("sub-01").read_bytes()
    for i, content in enumerate((b"", b"not gzip", good[: len(good) // 2], good[:300])):
        write_scan(f"sub-1{i}").write_bytes(content)
    (tmp_path / "quality").mkdir()
    (tmp_path / "quality" / "refused.tsv").write_text(
        'participant_id\tcode\tmessage\nsub-9\tHC207\t"never closed\n'
    )
    (tmp_path / "quality" / "sessions.tsv").write_text("scan_uid\tparticipant_id\tsession\n")
    (tmp_path / "dataset_description.json").write_text("[")
    page = report(tmp_path)
    assert page.count("no picture: the NIfTI file could not be read") == 4
    assert page.count("data:image/jpeg") == 1
    assert "quality/refused.tsv has rows that do not fit" in page
    assert "dataset_description.json cannot be read" in page


def test_an_empty_dataset_has_a_page_and_a_missing_one_has_none(tmp_path: Path) -> None:
    page = report(tmp_path)
    assert "The dataset holds no scan." in page
    assert "0 studies found" in page
    with pytest.raises(NothingThere):
        write_quality_report(Dataset(tmp_path / "nowhere"))


def test_the_page_loads_nothing_and_allows_its_own_script_alone(
    tmp_path: Path, write_scan: WriteScan
) -> None:
    write_scan()
    page = report(tmp_path)
    policy = html.unescape(re.search(r'Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert " style=" not in page
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)[^"]*"', page)
    assert re.search(r"<script>(.*?)</script>", page, re.S)[1] == (  # type: ignore[index]
        TEMPLATES / "quality.js"
    ).read_text(encoding="utf-8")


def test_the_same_dataset_gives_the_same_page(tmp_path: Path, write_scan: WriteScan) -> None:
    for i in range(3):
        write_scan(f"sub-{i}")
    seen: list[tuple[int, int]] = []
    report(tmp_path)
    one = write_quality_report(
        Dataset(tmp_path), progress=lambda done, total: seen.append((done, total))
    ).read_bytes()
    two = write_quality_report(Dataset(tmp_path), workers=2).read_bytes()
    assert one == two
    assert seen == [(1, 3), (2, 3), (3, 3)]
    shown = (p.name for p in (tmp_path / "quality").iterdir() if not p.name.startswith(".hemocast"))
    assert sorted(shown) == ["datasheet.md", "report.html"]


def test_the_command_names_the_page_it_wrote(tmp_path: Path, write_scan: WriteScan) -> None:
    write_scan()
    report(tmp_path)
    app = typer.Typer()
    app.command()(quality)
    done = CliRunner().invoke(app, [str(tmp_path)])
    assert done.exit_code == 0
    assert str(tmp_path / "quality" / "report.html") in done.output.replace("\n", "")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no browser (chromium) to try the page in")
def test_columns_sort_and_rows_filter_in_a_browser(tmp_path: Path, write_scan: WriteScan) -> None:
    for i, tilt in enumerate((3.0, None, -12.0, 20.0)):
        write_scan(f"sub-{i}", facts={"tilt_degrees": tilt, "manufacturer": "AB"[i % 2]})
    page = report(tmp_path)
    trial = """
    const at = (s) => [...document.querySelectorAll(s)];
    const order = () => at("#scans tbody tr").filter((r) => !r.hidden)
      .map((r) => r.cells[0].dataset.key[4]).join("");
    const out = [order()];
    const tilt = at("#scans .sort")[5];
    tilt.click(); out.push(order(), tilt.parentNode.getAttribute("aria-sort"));
    tilt.click(); out.push(order(), tilt.parentNode.getAttribute("aria-sort"));
    const form = document.getElementById("filter");
    form.elements.text.value = "SUB-2"; form.dispatchEvent(new Event("input"));
    out.push(order(), document.getElementById("shown").textContent);
    document.title = "RESULT " + out.join("|");
    """
    page = re.sub(r"<meta http-equiv=.*?>", "", page).replace(
        "</body>", f"<script>{trial}</script></body>"
    )
    (tmp_path / "trial.html").write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom", (tmp_path / "trial.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "RESULT 0123|2031|ascending|3021|descending|2|1 of 4 scans shown" in done.stdout
