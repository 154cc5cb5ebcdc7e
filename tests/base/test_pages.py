"""The frame of pages: text stays text, and what is HTML stays HTML."""

import re

import pytest
from markupsafe import Markup

from dsfu.pages.charts import Bars, Chart, Line, fit_chart
from dsfu.pages.frame import Table, render, symbols
from dsfu.pages.scales import Linear
from tests.base.looking import part


def table_html(table: Table) -> str:
    return part("table_of(shown)", table)


def test_words_are_escaped_everywhere():
    evil = "<script>alert(1)</script>"
    table = Table(title=evil, heads=[evil, f">{evil}"], rows=[[evil, evil]], note=evil)
    chart = Chart(x=Linear(0, 1), y=Linear(0, 1), marks=[Line([0], [0], tip=evil)], description=evil, x_label=evil)
    shown = part("table_section(shown[0])", [table]) + part("header(shown, shown, [(shown, shown)])", evil)
    shown += part("chart(shown, shown.description)", chart) + part("verdict('bad', shown, shown, [shown])", evil)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") == 4 + 2 + 4 + 4 + 3


def test_numbers_are_set_to_the_right():
    html = table_html(Table(title="", heads=["what", ">how much"], rows=[["a", "1"]]))
    assert html.count('class="number"') == 2
    assert "&gt;" not in html


def test_a_table_without_heads_has_no_head_and_a_total_is_marked():
    html = table_html(Table(title="", heads=["", ">"], rows=[["a", Markup("<b>1</b>")], ["all", "1"]], total=True))
    assert "<thead>" not in html
    assert html.count('<tr class="total">') == 1
    assert "<b>1</b>" in html


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="3 cells below 2 heads"):
        Table(title="", heads=["a", "b"], rows=[["1", "2", "3"]])


def test_quantities_have_their_index_below_and_names_of_files_do_not():
    assert symbols("I_SRO & R_w") == "<i>I</i><sub>SRO</sub> &amp; <i>R</i><sub>w</sub>"
    assert symbols("α_100") == "<i>α</i><sub>100</sub>"
    for words in ("MI_SRO", "I_SROs", "a_b.h5", "q_maximum"):
        assert symbols(words) == words


def test_a_missing_value_is_an_error_and_not_an_empty_place():
    with pytest.raises(Exception, match="title"):
        render("dsfu.pages/page.html")


def test_a_long_curve_keeps_its_ends_and_its_difference_lies_below():
    import numpy as np

    x = np.linspace(0, 50, 20_000)
    chart = fit_chart(x, np.sin(x), np.sin(x) - 0.01 * x, x_label="r", y_label="G")
    lines = re.findall(r'class="line[^"]*" d="M([^"]+)"', str(chart))
    measured, fit, difference = (np.array(line.split(), float).reshape(-1, 2) for line in lines[1:])
    assert 800 < len(measured) < 1100
    assert difference[:, 1].min() > max(measured[:, 1].max(), fit[:, 1].max())  # y grows downwards
    assert np.ptp(measured[:, 0]) > 0.99 * (chart.ends["right"] - chart.ends["left"])


def test_bars_without_height_are_left_out():
    chart = Chart(x=Linear(0, 3), y=Linear(0, 2), marks=[Bars([0, 1, 2, 3], [1, 0, 2])], description="")
    assert str(chart).count('class="bars"') == 2
