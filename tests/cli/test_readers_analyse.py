"""``hemocast readers analyse`` on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.cli.main import run

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    keys = [f"p{i},s{i}" for i in range(20)]
    predictions = [f"{key},{i % 2},{0.3 + 0.02 * i:.2f}" for i, key in enumerate(keys)]
    readings = [
        f"R{r},{key},{0.1 * ((3 * i + r) % 10):.1f},{int((3 * i + r) % 10 >= 5)},unaided"
        for r in range(2)
        for i, key in enumerate(keys)
    ]
    a, b = tmp_path / "predictions.csv", tmp_path / "readings.csv"
    a.write_text("\n".join(["participant_id,scan_id,label,probability", *predictions]) + "\n")
    head = "reader_id,participant_id,scan_id,probability,decision,arm"
    b.write_text("\n".join([head, *readings]) + "\n")
    return str(b), str(a)


def analyse(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["readers", "analyse", *arguments])
    return int(ended.value.code or 0)


def test_every_rater_is_printed_and_the_page_named(
    tables: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readings, predictions = tables
    out = tmp_path / "out"
    code = analyse(readings, "--predictions", predictions, "--out", str(out), "--resamples", "100")
    said = capsys.readouterr().out
    assert code == 0, said
    for rater in ("model: AUC", "R0, unaided: AUC", "R1, unaided: AUC", "Average of 2 readers"):
        assert rater in said
    assert said.rstrip().endswith(f"Page: {out / 'report.html'}")
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} >= {
        "table2.csv", "table2.tex", "reader_tests.csv", "agreement.csv", "figures", "report.html"
    }  # fmt: skip


def test_an_evaluations_folder_is_not_a_reader_studys(
    tables: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readings, predictions = tables
    out = str(tmp_path / "out")
    with pytest.raises(SystemExit):
        run(["evaluate", predictions, "--out", out, "--resamples", "100"])
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert analyse(readings, "--predictions", predictions, "--out", out) == 2
    assert "made as: evaluation" in capsys.readouterr().err
    assert {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == before


def test_readings_of_unknown_scans_are_refused_with_their_rows(
    tables: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readings, predictions = tables
    with Path(readings).open("a") as file:
        file.write("R0,p99,s99,0.2,0,unaided\n")
    code = analyse(readings, "--predictions", predictions, "--out", str(tmp_path / "out"))
    said = capsys.readouterr().err
    assert code in {2, 4}
    assert "row 42, column scan_id" in said
    assert not (tmp_path / "out").exists()


def test_predictions_of_hemocast_are_analysed_with_labels_of_their_own(
    tables: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readings, predictions = tables
    path = Path(predictions)
    rows = path.read_text().splitlines()[1:]
    labels = tmp_path / "labels.tsv"
    people = [row.split(",")[0::2][:2] for row in rows]
    labels.write_text("participant_id\tlabel\n" + "".join(f"{a}\t{b}\n" for a, b in people))
    columns = (
        "case,participant_id,scan_id,probability,threshold,status,code,message,flags,simulated"
    )
    made = [row.split(",") for row in rows]
    lines = [f"{i},{p},{s},{risk},0.5,done,,,a doubt,1" for i, (p, s, _, risk) in enumerate(made)]
    lines.append("20,n/a,n/a,,,refused,HC101,HC101 nothing,,1")
    path.write_text("\n".join([columns, *lines]) + "\n")
    out = str(tmp_path / "out")
    given = (readings, "--predictions", predictions, "--out", out, "--resamples", "100")
    assert analyse(*given) == 4
    assert "--labels" in capsys.readouterr().err
    assert analyse(*given, "--labels", str(labels)) == 0
    assert "SIMULATED" in capsys.readouterr().out
