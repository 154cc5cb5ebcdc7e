import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from dsfu.errors import InputError
from dsfu.model.evaluation.machine import device_named
from dsfu.model.evaluation.tables import as_text, number
from dsfu.model.problems.disorder.evaluation.evaluate import (
    Evaluation,
    EvaluationSettings,
    evaluate_method,
    open_planes,
)
from dsfu.model.problems.disorder.evaluation.pictures import chosen_places, overall_error
from dsfu.model.problems.disorder.evaluation.planes import EvaluationPlanes, PlaneSettings
from dsfu.model.problems.disorder.evaluation.predictors import Method
from dsfu.model.problems.disorder.evaluation.scores import Scores, score_planes
from dsfu.model.problems.disorder.evaluation.summary import Statistic, labels_of
from dsfu.model.problems.disorder.evaluation.tables import comparison, tables_of
from tests.base.looking import complaints, needs_browser
from tests.model.problems.disorder.evaluation.test_scores import constant


@pytest.fixture(scope="module")
def planes(store: str) -> EvaluationPlanes:
    return open_planes(store, "train", PlaneSettings(limit=16))


@pytest.fixture(scope="module")
def done(planes: EvaluationPlanes, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    about = {"name": "half <a> plane", "store": "STORE", "split": "train", "conditions": "without noise"}
    settings = EvaluationSettings(batch_size=8, device="cpu")
    return evaluate_method(Method(predict=constant), planes, tmp_path_factory.mktemp("out") / "new", settings, about)


@pytest.fixture(scope="module")
def scores(planes: EvaluationPlanes) -> Scores:
    return score_planes(constant, planes, batch_size=16)


def test_the_summary_is_of_the_scores(done: Evaluation, scores: Scores):
    linear = done.summary.factors["sro"]["linear"]
    values = scores["sro.linear.mse.all"]
    assert linear.mse["all"].mean == pytest.approx(values.mean())
    assert linear.mse["all"].percentile_90 == pytest.approx(np.quantile(values, 0.9))
    assert linear.share_below_paper == pytest.approx((values < 0.032).mean())
    assert done.summary.planes == 16


def test_parts_make_up_the_whole(done: Evaluation, scores: Scores, planes: EvaluationPlanes):
    labels = labels_of(scores, planes)
    assert set(labels) == set(done.summary.parts)
    for name, parts in done.summary.parts.items():
        assert sum(part.planes for part in parts) == 16
        mean = sum(part.planes * part.mse["form_factor"]["sqrt"].mean for part in parts) / 16
        assert mean == pytest.approx(scores["form_factor.sqrt.mse.all"].mean())
        for part in parts:
            of_part = scores["sro.linear.mse.all"][labels[name] == part.label]
            assert part.mse["sro"]["linear"].median == pytest.approx(np.median(of_part))


def test_statistics_leave_out_what_there_is_not():
    found = Statistic.of(np.array([1.0, np.nan, 3.0]))
    assert (found.mean, found.median, found.planes) == (2, 2, 2)
    assert Statistic.of(np.array([np.nan])).planes == 0


def test_json_and_csv_say_the_same(done: Evaluation, scores: Scores):
    told = json.loads(done.files["evaluation.json"].read_text())
    with done.files["planes.csv"].open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["sample"]) for row in rows] == scores.indices.tolist()
    mean = np.mean([float(row["sro.sqrt.mse.live"]) for row in rows])
    assert told["factors"]["sro"]["sqrt"]["mse"]["live"]["mean"] == pytest.approx(mean, rel=1e-5)
    assert told["features"]["sro"] == {"fid": None, "kid": None, "note": told["features"]["sro"]["note"]}
    assert told["paper"]["form_factor"]["mse"] == 0.006


def test_tables_show_the_numbers_and_what_was_not_computed(done: Evaluation):
    table = comparison(done.summary)
    assert table.rows[0][1] == number(done.summary.factors["sro"]["linear"].mse["all"].mean)
    assert table.rows[0][2] == "0.015"
    assert [row[1] for row in table.rows if row[0] in ("FID", "KID")] == ["–"] * 2
    for each in tables_of(done.summary):
        assert all(len(row) == len(each.heads) for row in each.rows)
        lines = as_text(each).splitlines()
        assert max(map(len, lines)) <= 80, each.title
    markdown = done.files["evaluation.md"].read_text()
    assert markdown.startswith("# Evaluation of half <a> plane\n")
    assert markdown.count("\n## ") == len(tables_of(done.summary))


@pytest.mark.parametrize(("value", "words"), [(0.0, "0"), (0.01234, "0.0123"), (3.21e-6, "3.2e-06"), (np.nan, "–")])
def test_numbers_have_few_digits(value: float, words: str):
    assert number(value) == words


class _Checker(HTMLParser):
    """Makes sure that elements are closed in the order in which they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.images.append(str(dict(attrs)["src"]))
        elif tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of SVG."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(done: Evaluation):
    html = done.files["evaluation.html"].read_text()
    checker = _Checker()
    checker.feed(html)
    assert checker.open == []
    assert "half &lt;a&gt; plane" in html
    assert "nan" not in re.sub(r"base64,[^\"]*", "", html).lower()
    assert all(address.startswith("data:image/png;base64,") for address in checker.images)
    assert len(checker.images) == 2 + 4 * 7
    assert not re.search(r"(href|src)=\"(?!data:)", html)


@needs_browser
@pytest.mark.browser
def test_browsers_show_the_page_without_complaint(done: Evaluation, tmp_path: Path):
    assert complaints(done.files["evaluation.html"], tmp_path) == ""


def test_planes_are_shown_from_best_to_worst(scores: Scores):
    places, errors = chosen_places(scores), overall_error(scores)
    assert list(places) == ["best", "median", "90th percentile", "worst"]
    assert errors[places["best"]] == errors.min()
    assert errors[places["worst"]] == errors.max()
    assert (errors <= errors[places["median"]]).sum() == pytest.approx(8, abs=1)


def test_nothing_to_evaluate_is_told(planes: EvaluationPlanes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(EvaluationPlanes, "indices", np.array([], int))
    with pytest.raises(InputError, match="no planes"):
        evaluate_method(Method(predict=constant), planes, tmp_path, EvaluationSettings(device="cpu"), {})
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there_is_told():
    assert device_named("cpu") == torch.device("cpu")
    assert device_named("auto").type in ("cpu", "cuda")
    with pytest.raises(InputError, match="--device tapu"):
        device_named("tapu")
