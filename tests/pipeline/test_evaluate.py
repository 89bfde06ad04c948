"""``hemocast evaluate`` as a user has it: a table in; numbers, figures and a page out."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hemocast.report
from hemocast.errors import NotWritable, OutputExists, TableError, UsageError
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, analyse_files, evaluate_files
from hemocast.stats import Cases, Resampling, evaluate

pytestmark = pytest.mark.usefixtures("undrawn")
FAST = EvaluationOptions(resampling=Resampling(200))
SCHEMA = json.loads(
    (Path(hemocast.report.__file__).parent / "metrics.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture(autouse=True)
def metrics_json_follows_its_schema(
    tmp_path: Path, schema_faults: Callable[[object, dict], list[str]]
) -> Iterator[None]:
    """Whatever a test evaluates: one model or several, readers, data that degenerate."""
    yield
    for path in tmp_path.rglob("metrics.json"):
        assert schema_faults(json.loads(path.read_text(encoding="utf-8")), SCHEMA) == []


def test_the_schema_wants_a_reason_for_what_is_undefined(
    tmp_path: Path, schema_faults: Callable[[object, dict], list[str]]
) -> None:
    label = [0, 1] * 20
    path = predictions(tmp_path / "a.csv", label, [0.3 + 0.01 * i for i in range(40)])
    told = readings(tmp_path / "r.csv", label, arms=("unaided",))
    evaluate_files(Tables(path, readings=told), tmp_path / "out", options=FAST)
    content = metrics(tmp_path / "out")
    content["models"]["model"]["metrics"]["auc"]["value"] = None
    content["seed"] = 0.5
    content["models"]["model"]["calibration"].pop("ici")
    found = " ".join(schema_faults(content, SCHEMA))
    for part in ("metrics.auc", "$.seed", "$.models.model.calibration"):
        assert part in found


def write(path: Path, head: str, rows: list[str]) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def predictions(path: Path, label: list[int], probability: list[float]) -> Path:
    rows = [f"p{i},s{i},{a},{b}" for i, (a, b) in enumerate(zip(label, probability, strict=True))]
    return write(path, "participant_id,scan_id,label,probability", rows)


def metrics(folder: Path) -> dict:
    def no_constants(name: str) -> None:
        raise AssertionError(f"{name} in metrics.json")

    text = (folder / "metrics.json").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=no_constants)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_tiny_table_by_hand(tmp_path: Path) -> None:
    label = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    score = [0.9, 0.8, 0.6, 0.3, 0.7, 0.4, 0.35, 0.2, 0.1, 0.05]
    path = predictions(tmp_path / "a.csv", label, score)
    evaluate_files(Tables(path), tmp_path / "out", options=FAST)
    model = metrics(tmp_path / "out")["models"]["model"]
    assert model["confusion"] == {"tp": 3, "fp": 1, "tn": 5, "fn": 1}
    values = {name: m["value"] for name, m in model["metrics"].items()}
    # Pairs ranked rightly: 6 + 6 + 5 + 3 of 24.
    assert values["auc"] == pytest.approx(20 / 24)
    assert values["accuracy"] == pytest.approx(0.8)
    assert values["f1"] == pytest.approx(6 / 8)
    assert values["lr_positive"] == pytest.approx((3 / 4) / (1 / 6))
    sensitivity = model["metrics"]["sensitivity"]
    # Wilson for 3 of 4.
    limits = [sensitivity["ci_low"], sensitivity["ci_high"]]
    assert limits == pytest.approx([0.3006, 0.9544], abs=1e-4)
    assert sensitivity["ci_method"] == "Wilson"
    assert (model["n"], model["n_patients"], model["prevalence"]) == (10, 10, 0.4)
    rows = table(tmp_path / "out" / "thresholds.csv")
    youden = {row["metric"]: row for row in rows if row["rule"] == "Youden index"}
    assert (youden["sensitivity"]["exploratory"], youden["sensitivity"]["threshold"]) == (
        "1", "0.6",
    )  # fmt: skip
    fixed = {row["metric"]: row["value"] for row in rows if row["rule"].startswith("sens")}
    assert float(fixed["sensitivity"]) >= 0.9
    known = table(tmp_path / "out" / "prevalence.csv")
    ppv = {row["prevalence"]: float(row["value"]) for row in known if row["metric"] == "ppv"}
    assert ppv["0.1"] == pytest.approx(0.75 * 0.1 / (0.75 * 0.1 + 0.9 / 6))


def test_scans_of_one_patient_are_resampled_together_and_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for patient in range(60):
        label, level = patient % 2, rng.normal()
        for scan in range(4):
            p = 1 / (1 + np.exp(-(label + level)))
            rows.append(f"p{patient},s{patient}-{scan},{label},{p:.5f}")
    path = write(tmp_path / "a.csv", "participant_id,scan_id,label,probability", rows)
    evaluate_files(Tables(path), tmp_path / "out", options=FAST)
    model = metrics(tmp_path / "out")["models"]["model"]
    assert (model["n"], model["n_patients"]) == (240, 60)
    assert "clustered by patient" in model["metrics"]["auc"]["ci_method"]
    assert "bootstrap of patients" in model["metrics"]["accuracy"]["ci_method"]
    by_method = {
        row["ci_method"]: float(row["ci_high"]) - float(row["ci_low"])
        for row in table(tmp_path / "out" / "metrics.csv")
        if row["metric"] == "accuracy"
    }
    assert min(by_method, key=lambda name: by_method[name]) in ("Wilson", "Clopper-Pearson")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "60, 30 with HT" in page
    assert "resamples of <strong>patients</strong>" in page


@pytest.mark.parametrize(
    ("label", "probability", "said"),
    [
        ([1] * 12, [0.5 + i / 30 for i in range(12)], "every scan has the outcome"),
        pytest.param(
            [0] * 12,
            [0.1 + i / 30 for i in range(12)],
            "no scan has the outcome",
            marks=pytest.mark.slow,
        ),
        ([0, 1] * 8, [0.5] * 16, "all predictions are equal"),
        pytest.param([0, 1, 1], [0.2, 0.7, 0.4], "only 3 scans", marks=pytest.mark.slow),
        pytest.param(
            [0] * 6 + [1] * 6,
            [0.1] * 6 + [0.9] * 6,
            "patient(s) of the smaller class",
            marks=pytest.mark.slow,
        ),
        pytest.param([0, 1] * 8, [0.0, 1.0] * 8, "0 and 1 only", marks=pytest.mark.slow),
        ([1], [0.4], "only 1 scan"),
    ],
)
def test_degenerate_data_give_reasons_and_no_nan(
    tmp_path: Path, label: list[int], probability: list[float], said: str
) -> None:
    path = predictions(tmp_path / "a.csv", label, probability)
    evaluate_files(Tables(path), tmp_path / "out", options=FAST)
    model = metrics(tmp_path / "out")["models"]["model"]
    assert said in " ".join(model["warnings"])
    for estimate in model["metrics"].values():
        if None in (estimate["value"], estimate["ci_low"], estimate["ci_high"]):
            assert estimate["warning"]
    for path in (tmp_path / "out").glob("*.csv"):
        assert not re.search(r"(^|,)(nan|inf|-inf)(,|$)", path.read_text(), re.MULTILINE)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r">\s*(nan|inf)\b", page)


def test_hostile_names_are_text_everywhere(tmp_path: Path, drawn: None) -> None:
    evil = "<script>alert(1)</script>"
    rows = [
        f"p{i},s{i},{i % 2},{(i * 7 % 20) / 20 + 0.01},{name},{evil if i % 3 else '@x'},1"
        for i in range(40)
        for name in ("=HYPERLINK(1)", evil)
    ]
    head = "participant_id,scan_id,label,probability,model,<b>$x^2$,simulated"
    evaluate_files(Tables(write(tmp_path / "a.csv", head, rows)), tmp_path / "out", options=FAST)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "script-src 'none'" in html.unescape(page)
    assert " style=" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    for path in (tmp_path / "out").glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            rows_read = list(csv.reader(file))
            assert rows_read[0][-1] == "simulated", path.name
            for row in rows_read:
                assert not any(re.match(r"[=@]|[+-](?![\d.])", cell) for cell in row), path.name
    for path in (tmp_path / "out" / "figures").glob("*.svg"):
        assert "<script" not in path.read_text(encoding="utf-8")
    assert "SIMULATED" in page
    assert metrics(tmp_path / "out")["simulated"] is True


def test_subgroups_come_from_columns_and_from_the_clinical_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 120)
    score = np.clip(0.35 + 0.3 * label + rng.normal(0, 0.2, 120), 0.01, 0.99)
    rows = [f"sub-{i},sub-{i}_ses-1,{label[i]},{score[i]:.4f},{'AB'[i % 2]}" for i in range(120)]
    path = write(tmp_path / "a.csv", "participant_id,scan_id,label,probability,site", rows)
    people = [f"sub-{i}\t{'FM'[i % 3 == 0]}\t{50 + i % 40}" for i in range(119)]
    clinical = write(tmp_path / "clinical.tsv", "participant_id\tsex\tage", people)
    result = evaluate_files(Tables(path, clinical=clinical), tmp_path / "out", options=FAST)
    subgroups = {found.variable: found for found in result.models[0].subgroups}
    groups = {
        (name, group.name): group.evaluation.n
        for name, found in subgroups.items()
        for group in found.groups
    }
    assert groups["site", "A"] == groups["site", "B"] == 60
    assert groups["sex", "missing"] == 1
    assert sum(n for (name, _), n in groups.items() if name == "age, years") == 120
    assert 0 <= subgroups["site"].auc_interaction.p <= 1
    assert "1 participant(s) are not in the clinical table" in result.notes[0]
    assert (tmp_path / "out" / "figures" / "subgroups-1.svg").is_file()


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 2, 50)
    path = predictions(tmp_path / "a.csv", label.tolist(), rng.random(50).round(4).tolist())
    for name in ("one", "two"):
        evaluate_files(Tables(path), tmp_path / name, options=FAST)
    files = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert {f.as_posix() for f in files} >= {
        "metrics.json", "metrics.csv", "calibration.csv", "decision.csv", "report.html",
        "figures/roc.svg", "figures/roc.png", "figures/confusion.svg", "figures/decision.svg",
        "figures/calibration-1.png",
    }  # fmt: skip
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_file_in_the_way_of_the_folder_is_no_traceback(tmp_path: Path) -> None:
    path = predictions(tmp_path / "a.csv", [0, 1], [0.2, 0.7])
    with pytest.raises(NotWritable):
        evaluate_files(Tables(path), path, options=FAST)


def test_a_folder_of_the_users_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = predictions(tmp_path / "a.csv", [0, 1], [0.2, 0.7])
    before = path.read_bytes()
    with pytest.raises(OutputExists):
        evaluate_files(Tables(path), tmp_path, options=FAST)
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_bytes() == before


def test_what_somebody_changed_since_is_kept_before_anything_is_computed(tmp_path: Path) -> None:
    label = [0, 1] * 20
    path = predictions(tmp_path / "a.csv", label, [0.3 + 0.01 * i for i in range(40)])
    evaluate_files(Tables(path), tmp_path / "out", options=FAST)
    (tmp_path / "out" / "metrics.csv").write_text("my notes")
    stages: list[str] = []
    with pytest.raises(OutputExists, match=r"metrics\.csv"):
        evaluate_files(
            Tables(path),
            tmp_path / "out",
            options=FAST,
            progress=lambda stage, *_: stages.append(stage),
        )
    assert stages == []
    assert (tmp_path / "out" / "metrics.csv").read_text() == "my notes"


def two_models(path: Path, gap: float = 0.0) -> Path:
    rng = np.random.default_rng(2)
    rows = []
    for i in range(120):
        level = rng.normal(1.4 * (i % 2))
        for model, noise in (("old", 0.6), ("new", 0.6)):
            score = level - gap * (model == "new") * (i % 2) + rng.normal(0, noise)
            rows.append(f"p{i},s{i},{i % 2},{1 / (1 + np.exp(-score)):.5f},{model}")
    return write(path, "participant_id,scan_id,label,probability,model", rows)


def test_non_inferiority_to_a_reference_is_tested_and_written(tmp_path: Path) -> None:
    tables = Tables(two_models(tmp_path / "a.csv"))
    options = replace(FAST, reference="old", margin=0.15)
    evaluate_files(tables, tmp_path / "out", options)
    (row,) = (c for c in metrics(tmp_path / "out")["comparisons"] if "non-inf" in c["method"])
    assert (row["first"], row["second"], row["metric"]) == ("new", "old", "auc")
    assert row["method"] == "non-inferiority by paired DeLong; margin 0.15"
    assert row["difference"]["ci_low"] > -0.15
    assert row["p"] < 0.025
    assert "non-inferiority shown" in row["difference"]["warning"]
    written = table(tmp_path / "out" / "comparisons.csv")
    assert any("non-inferiority" in line["method"] for line in written)
    assert "non-inferiority shown" in (tmp_path / "out" / "report.html").read_text("utf-8")
    worse = Tables(two_models(tmp_path / "b.csv", gap=1.5))
    result = evaluate_files(worse, tmp_path / "out", options)
    assert "non-inferiority not shown" in str(result.comparisons[-1].difference.warning)


@pytest.mark.parametrize(
    ("reference", "margin", "said"),
    [
        ("old", None, "margin is None and the reference is given"),
        (None, 0.05, "the reference is not given"),
        ("other", 0.05, "not one of the 2"),
        ("old", 1.5, "margin is 1.5"),
    ],
)
def test_a_margin_that_fits_no_model_is_refused_before_the_folder_is_made(
    tmp_path: Path, reference: str | None, margin: float | None, said: str
) -> None:
    tables = Tables(two_models(tmp_path / "a.csv"))
    with pytest.raises(UsageError, match=said):
        evaluate_files(tables, tmp_path / "out", replace(FAST, reference=reference, margin=margin))
    assert not (tmp_path / "out").exists()


def test_bca_limits_are_those_of_the_statistic(tmp_path: Path) -> None:
    label = [0, 1] * 30
    score = [round(0.2 + 0.4 * a + (i * 7 % 30) / 100, 4) for i, a in enumerate(label)]
    path = predictions(tmp_path / "a.csv", label, score)
    resampling = Resampling(300, interval="bca")
    evaluate_files(Tables(path), tmp_path / "out", EvaluationOptions(resampling=resampling))
    found = metrics(tmp_path / "out")["models"]["model"]["metrics"]["brier"]
    patients = [f"p{i}" for i in range(60)]
    told = evaluate(Cases(label, score, patients), 0.5, resampling)["brier"]
    assert found["ci_method"] == "bootstrap of patients, BCa"
    assert (found["ci_low"], found["ci_high"]) == pytest.approx((told.ci_low, told.ci_high))
    assert "BCa limits" in (tmp_path / "out" / "report.html").read_text("utf-8")


def as_version_0_1_left_it(folder: Path) -> None:
    """Version 0.1 wrote all but the newest of these files, and no record of them."""
    for name in (".hemocast.jsonl", ".hemocast.lock", "tables.xlsx", "reader_components.csv"):
        (folder / name).unlink(missing_ok=True)
    for path in (folder / "figures").glob("precision-recall.*"):
        path.unlink()


def test_a_folder_of_version_0_1_is_ours_and_the_users_files_in_it_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    evaluate_files(Tables(two_models(tmp_path / "a.csv")), out, FAST)
    as_version_0_1_left_it(out)
    (out / "mine.csv").write_text("mine")
    (out / "figures" / "mine.svg").write_text("mine")
    path = predictions(tmp_path / "b.csv", [0, 1] * 20, [0.3 + 0.01 * i for i in range(40)])
    evaluate_files(Tables(path), out, FAST)
    assert (out / "mine.csv").read_text() == (out / "figures" / "mine.svg").read_text() == "mine"
    assert not (out / "comparisons.csv").exists()
    assert set(metrics(out)["models"]) == {"model"}
    # From now on there is a record, so that what the user changes is seen.
    (out / "metrics.csv").write_text("my notes")
    with pytest.raises(OutputExists):
        evaluate_files(Tables(path), out, FAST)


def test_a_reader_study_of_version_0_1_is_ours_too(tmp_path: Path) -> None:
    label, out = [0, 1] * 10, tmp_path / "out"
    path = predictions(tmp_path / "a.csv", label, [0.3 + 0.4 * x for x in label])
    tables = Tables(path, readings=readings(tmp_path / "r.csv", label, ("unaided",)))
    analyse_files(tables, out, FAST)
    as_version_0_1_left_it(out)
    analyse_files(tables, out, FAST)
    as_version_0_1_left_it(out)
    (out / "table2.tex").unlink()
    with pytest.raises(OutputExists):
        analyse_files(tables, out, FAST)


def test_a_table_among_our_own_files_is_no_input(tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = two_models(tmp_path / "a.csv")
    evaluate_files(Tables(path), out, FAST)
    before = (out / "metrics.csv").read_bytes()
    with pytest.raises(TableError):
        evaluate_files(Tables(out / "metrics.csv"), out, FAST)
    mine = out / "table.csv"
    mine.write_bytes(path.read_bytes())
    evaluate_files(Tables(mine), out, FAST)
    assert mine.read_bytes() == path.read_bytes()
    assert (out / "metrics.csv").read_bytes() == before
    (out / ".hemocast.jsonl").open("a").write(
        json.dumps({"file": "table.csv", "sha256": sha256(mine.read_bytes()).hexdigest()}) + "\n"
    )
    with pytest.raises(OutputExists, match="lie in the output folder"):
        evaluate_files(Tables(mine), out, FAST)
    assert mine.read_bytes() == path.read_bytes()


def test_a_users_file_under_a_name_of_ours_is_seen_before_anything_is_computed(
    tmp_path: Path,
) -> None:
    label, out = [0, 1] * 10, tmp_path / "out"
    path = predictions(tmp_path / "a.csv", label, [0.3 + 0.4 * x for x in label])
    evaluate_files(Tables(path), out, FAST)
    (out / "decision.csv").unlink()
    record = (out / ".hemocast.jsonl").read_text().splitlines()
    kept = [line for line in record if "decision.csv" not in line]
    (out / ".hemocast.jsonl").write_text("\n".join(kept) + "\n")
    (out / "decision.csv").write_text("mine")
    stages: list[str] = []
    with pytest.raises(OutputExists, match=r"decision\.csv"):
        evaluate_files(Tables(path), out, FAST, lambda stage, *_: stages.append(stage))
    assert stages == []
    assert (out / "decision.csv").read_text() == "mine"


OURS = (
    "metrics.json", "metrics.csv", "report.html", "table2.csv", "table2.tex", "decision.csv",
    "figures/roc.svg", "figures/readers-roc.png", "comparisons.csv", "agreement.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("study")
    label = [0, 1] * 6
    path = predictions(folder / "a.csv", label, [0.3 + 0.4 * x for x in label])
    return Tables(path, readings=readings(folder / "r.csv", label, ("unaided",)))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.one_of(
            st.sampled_from(OURS), st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True)
        ),
        st.one_of(st.binary(max_size=40), st.just(b'{"schema_version": 1}')),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([evaluate_files, analyse_files]),
)
def test_no_byte_of_a_users_folder_changes(
    study: Tables, held: dict[str, bytes], command: Callable[..., object]
) -> None:
    with TemporaryDirectory() as place:
        out = Path(place) / "theirs"
        for name, content in held.items():
            path = out / name
            if any(parent.is_file() for parent in path.parents) or path.is_dir():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
        with pytest.raises(OutputExists):
            command(study, out, FAST)
        assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def readings(path: Path, label: list[int], arms: tuple[str, ...] = ("unaided", "aided")) -> Path:
    rng = np.random.default_rng(5)
    rows = []
    for reader in ("=C1", "C2", "C3"):
        for arm in arms:
            for i, truth in enumerate(label):
                for repeat in range(2 if i < 8 else 1):
                    p = float(np.clip(0.35 + 0.3 * truth + rng.normal(0, 0.2), 0, 1))
                    rows.append(
                        f"{reader},p{i},s{i},{p:.2f},{int(p >= 0.5)},3,{10 + i},{arm},{i},{repeat}"
                    )
    head = (
        "reader_id,participant_id,scan_id,probability,decision,confidence,seconds,arm,order,repeat"
    )
    return write(path, head, rows)


def test_readers_give_table_2_with_honest_aucs(tmp_path: Path) -> None:
    label = [0, 1] * 20
    path = predictions(tmp_path / "a.csv", label, [0.3 + 0.4 * x for x in label])
    told = readings(tmp_path / "r.csv", label)
    result = analyse_files(Tables(path, readings=told), tmp_path / "out", options=FAST)
    assert result.readers is not None
    rows = {(row["rater"], row["arm"]): row for row in table(tmp_path / "out" / "table2.csv")}
    assert len(rows) == 1 + 2 * (3 + 1)
    own = rows["C2", "unaided"]
    assert float(own["auc_one_point"]) == pytest.approx(
        (float(own["sensitivity"]) + float(own["specificity"])) / 2
    )
    assert own["auc"] != own["auc_one_point"]
    mean = np.mean([float(rows[name, "aided"]["auc"]) for name in ("'=C1", "C2", "C3")])
    assert float(rows["Average of 3 readers", "aided"]["auc"]) == pytest.approx(mean)
    tests = table(tmp_path / "out" / "reader_tests.csv")
    assert {row["question"] for row in tests} == {"model and readers", "aided and unaided"}
    latex = (tmp_path / "out" / "table2.tex").read_text()
    assert latex.count(r"\\") == 10
    assert "SIMULATED" not in latex
    for name in ("readers-roc", "agreement-aided", "readers-confusion-unaided"):
        assert (tmp_path / "out" / "figures" / f"{name}.png").is_file()
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_readings_of_strangers_are_named(tmp_path: Path) -> None:
    path = predictions(tmp_path / "a.csv", [0, 1], [0.2, 0.7])
    head = "reader_id,participant_id,scan_id,probability,decision,arm,repeat"
    rows = [
        "r,p0,s0,0.2,0,unaided,0",
        "r,p9,s9,0.2,0,unaided,0",  # 3: unknown scan
        "r,p0,s1,0.2,0,unaided,0",  # 4: another participant's scan
        "r,p0,s0,0.3,0,unaided,0",  # 5: read twice
        "q,p0,s0,1.3,2,helped,1",  # 6: probability, decision, arm
        "q,p1,s1,0.3,0,aided,1",  # 7: a repeat of nothing
        "model,p1,s1,0.3,0,aided,0",  # 8: a reader named as the model
    ]
    with pytest.raises(TableError) as caught:
        analyse_files(
            Tables(path, readings=write(tmp_path / "r.csv", head, rows)), tmp_path / "out"
        )
    text = str(caught.value)
    for part in (
        "row 3, column scan_id", "row 4, column participant_id", "row 5, column reader_id + scan",
        "row 6, column probability", "row 6, column decision", "row 6, column arm",
        "column repeat", "row 8, column reader_id",
    ):  # fmt: skip
        assert part in text, part
    assert not (tmp_path / "out").exists()


def test_a_second_run_leaves_nothing_of_the_first_and_all_of_anyone_else(tmp_path: Path) -> None:
    label = [0, 1] * 30
    scores = [0.2 + 0.4 * a + i / 200 for i, a in enumerate(label)]
    rows = [
        f"p{i},s{i},{a},{b},{m},{'FM'[i % 3 == 0]}"
        for m in ("A", "B")
        for i, (a, b) in enumerate(zip(label, scores, strict=True))
    ]
    head = "participant_id,scan_id,label,probability,model,sex"
    rich = write(tmp_path / "rich.csv", head, rows)
    told = readings(tmp_path / "r.csv", label)
    out, plain = tmp_path / "out", tmp_path / "plain"
    evaluate_files(Tables(rich, readings=told), out, options=FAST)
    whole = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {"comparisons.csv", "subgroups.csv", "times.csv", "figures/subgroups-2.png"} <= whole
    (out / "mine.csv").write_text("mine")
    one = predictions(tmp_path / "one.csv", label, scores)
    evaluate_files(Tables(one), out, options=FAST)
    evaluate_files(Tables(one), plain, options=FAST)
    left = {path.relative_to(out) for path in out.rglob("*")}
    assert left == {path.relative_to(plain) for path in plain.rglob("*")} | {Path("mine.csv")}


def test_labels_beside_the_clinical_table_serve_predictions_without(tmp_path: Path) -> None:
    rows = [f"p{i},s{i},{0.3 + 0.01 * i}" for i in range(40)]
    path = write(tmp_path / "p.csv", "participant_id,scan_id,probability", rows)
    folder = tmp_path / "dataset"
    folder.mkdir()
    clinical = write(
        folder / "clinical.tsv", "participant_id\tage", [f"p{i}\t70" for i in range(40)]
    )
    with pytest.raises(TableError, match="--labels"):
        evaluate_files(Tables(path, clinical=clinical), tmp_path / "out", options=FAST)
    labels = [f"p{i}\t{i % 2}" for i in range(40)]
    write(folder / "labels.tsv", "participant_id\tlabel", labels)
    result = evaluate_files(Tables(path, clinical=clinical), tmp_path / "out", options=FAST)
    assert result.models[0].n_positive == 20
