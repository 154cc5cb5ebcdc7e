"""The frame of pages: text stays text, and what is HTML stays HTML."""

import shutil
import subprocess
from pathlib import Path

import pytest

from dsfu.pages.frame import Table, document, grid, headed, section, table_html, tiles


def test_words_are_escaped_everywhere():
    evil = "<script>alert(1)</script>"
    table = Table(title=evil, heads=[evil, f">{evil}"], rows=[[evil, evil]], note=evil)
    page = document(evil, [section(table), tiles([(evil, evil)])])
    assert "<script" not in page
    assert headed(evil, "", [(evil, "x")]).count("<script") == 0


def test_numbers_are_set_to_the_right():
    html = table_html(Table(title="", heads=["what", ">how much"], rows=[["a", "1"]]))
    assert html.count("class=number") == 2
    assert "&gt;" not in html


def test_a_table_without_heads_has_no_head_and_a_total_is_marked():
    html = grid(["", ">"], [["a", "<b>1</b>"], ["all", "1"]], total=True)
    assert "<thead>" not in html
    assert html.count("<tr class=total>") == 1
    assert "<b>1</b>" in html


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="3 cells below 2 heads"):
        grid(["a", "b"], [["1", "2", "3"]])


def test_curves_of_any_page_are_lines_and_not_filled():
    """They once were, on two pages: SVG fills a polyline with black unless it is told not to."""
    assert "polyline { fill: none;" in document("x", [])


def test_sections_without_content_are_left_out():
    page = headed("t", "h", [("full", "x"), ("empty", "")])
    assert "full" in page
    assert "empty" not in page


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium")
def test_on_a_phone_tables_scroll_and_words_are_not_broken(tmp_path: Path):
    """A column once was a letter wide there."""
    words = "understandable words in a column"
    table = Table(title="A table", heads=["what"] * 8, rows=[[words] * 8])
    script = "<script>document.title = document.querySelector('td').getBoundingClientRect().width > 60</script>"
    page = document("x", [section(table)]).replace("default-src 'none';", "script-src 'unsafe-inline';")
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{script}</body>"))
    chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [*chromium, "--window-size=390,800", "--dump-dom", (tmp_path / "page.html").as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "<title>true</title>" in shown
