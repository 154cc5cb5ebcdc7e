"""The report says what the factors hold, and is one page that loads nothing."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.measured.factorise.factors import Check, CrystalFactors, Verdict
from dsfu.model.measured.factorise.report import report_of, write_report
from dsfu.model.measured.factorise.report_tables import alpha_table, history_table, numbers_table
from dsfu.simulate.disorder.planes import layer
from tests.base.looking import complaints, needs_browser
from tests.model.measured.factorise.made import BAD, GOOD, HEXAGONAL, factors_of, hexagonal_layer, plane_factors

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)


class Page(HTMLParser):
    """Tags that are open, and what would be loaded."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def solved() -> CrystalFactors:
    planes = (
        plane_factors(hexagonal_layer(32), HEXAGONAL, name="hk1"),
        plane_factors(layer(HEXAGONAL, "b", 0.5, 3.0, 32), HEXAGONAL, name="h0.5l"),
    )
    return factors_of(
        *planes,
        alpha_vectors=np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1], [-1, 1, 0]]),
        alpha=np.array([1.0, 0.2512, -0.1, 0.0004]),
        alpha_covariance=np.diag([0, 9e-6, 1e-4, 4e-8]),
        axis_scales=np.array([[1.001, 1.0], [1.0, 0.998]]),
    )


def test_the_page_is_whole_and_loads_nothing(solved: CrystalFactors) -> None:
    text = report_of(solved, NOW)
    page = Page(text)
    assert page.open == []
    assert len(page.loaded) == 2
    assert all(address.startswith("data:image/png;base64,") for address in page.loaded)
    assert "//" not in re.sub(r"base64,[^\"]*", "", text)
    for words in ("2026-05-04 12:30 UTC", "Plane hk1", "Plane h0.5l", "crystal.h5", "γ = 120°", "cutoff"):
        assert words in page.words
    assert "The data agree" in page.words
    assert "Do not rely" not in page.words


def test_a_failed_verdict_is_said_in_plain_words(solved: CrystalFactors) -> None:
    text = report_of(factors_of(solved.planes[0], checks=(GOOD, BAD)), NOW)
    page = Page(text)
    assert "Do not rely on these factors" in page.words
    assert BAD.meaning in page.words
    assert "FAILS" in page.words
    assert "verdict bad" in text
    assert "The data agree" not in page.words


@needs_browser
@pytest.mark.browser
def test_browsers_show_it_without_complaint(solved: CrystalFactors, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", solved, NOW)
    assert complaints(tmp_path / "report.html", tmp_path) == ""


def test_what_a_network_says_has_no_lattice() -> None:
    plane = plane_factors(hexagonal_layer(32), None, name="the image")
    page = Page(report_of(CrystalFactors(planes=(plane,), method="network", verdict=Verdict(checks=())), NOW))
    assert "was not checked" in page.words
    assert "The image" in page.words
    assert "Warren" not in page.words


def test_a_network_does_not_vouch_for_data() -> None:
    plane = plane_factors(hexagonal_layer(32), None, name="the image")
    check = Check(name="spread", value=0.1, limit=0.3, passed=True, meaning="")
    verdict = Verdict(checks=(check,), tells=False)
    page = Page(report_of(CrystalFactors(planes=(plane,), method="network", verdict=verdict), NOW))
    assert "a network cannot tell" in page.words
    assert "The data agree" not in page.words


def test_names_of_files_cannot_do_harm(solved: CrystalFactors) -> None:
    plane = plane_factors(hexagonal_layer(16), HEXAGONAL, name="<script>alert(1)</script>", uncertain=False)
    assert "<script>alert" not in report_of(factors_of(plane), NOW)


def test_parameters_with_their_uncertainties_by_length(solved: CrystalFactors) -> None:
    table = alpha_table(solved)
    assert table is not None
    assert [list(row) for row in table.rows] == [
        ["0  0  1", "5.000", "−0.100(10)"],
        ["1  0  0", "7.000", "0.251(3)"],
        ["−1  1  0", "12.124", "0.0004(2)"],
    ]
    assert alpha_table(factors_of(*solved.planes)) is None


def test_a_plane_between_layers_has_sines_too(solved: CrystalFactors) -> None:
    one = factors_of(
        solved.planes[1],
        alpha_vectors=np.array([[0, 0, 0], [1, 0, 0]]),
        alpha=np.array([1.0, 0.25]),
        alpha_sines=np.array([0.0, -0.125]),
    )
    table = alpha_table(one)
    assert table is not None
    assert list(table.rows[0])[2:] == ["0.2500", "−0.1250"]
    assert "same projection" in table.note


def test_numbers_of_every_plane(solved: CrystalFactors) -> None:
    table = numbers_table(solved)
    first = dict(zip(table.heads, table.rows[0], strict=True))
    plane = solved.planes[0]
    assert first[">measured"] == f"{100 * plane.live.mean():.1f} %"
    assert first[">I_FF from data"] == f"{100 * plane.from_data.mean():.1f} %"
    assert first[">stretch along x"] == "+0.100 %"
    assert table.rows[1][-1] == "−0.200 %"
    assert first[">uncertainty of I_FF"] == f"{100 * 0.5 / plane.form_factor[plane.from_data].max():.2g} %"


def test_steps_that_planes_share_are_told_once(solved: CrystalFactors) -> None:
    rows = [list(row) for row in history_table(solved).rows]
    assert rows == [
        ["hk1", "cut", "plane hk1"],
        ["h0.5l", "cut", "plane h0.5l"],
        ["all planes", "factorise", "method solver"],  # its settings have a table of their own
    ]
    same = factors_of(solved.planes[0], solved.planes[0])
    assert [row[0] for row in history_table(same).rows] == ["all planes", "all planes"]


def test_no_page_is_left_where_it_cannot_be_written(tmp_path: Path, solved: CrystalFactors) -> None:
    with pytest.raises(InputError, match="folder"):
        write_report(tmp_path / "none" / "report.html", solved)
    assert list(tmp_path.iterdir()) == []
