import base64
import io
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsfu.pages.charts import stacked_bar
from dsfu.pages.pictures import ramp_address
from dsfu.pages.svg import Svg
from dsfu.pipeline.problems.disorder.report.pictures import mask_svg, plane_svg
from dsfu.pipeline.problems.disorder.report.sample_sheet import LIVE_COLOUR, colour_table
from dsfu.pipeline.report.charts import histogram
from dsfu.pipeline.report.histograms import Distribution
from dsfu.words import number_words, share_words


def distribution(*, logarithmic: bool = False, **counts: tuple[float, ...]) -> Distribution:
    bins = len(next(iter(counts.values())))
    return Distribution(
        name="it",
        label="it",
        unit="",
        edges=tuple(float(edge) for edge in range(bins + 1)),
        counts=counts,
        quantiles={},
        logarithmic=logarithmic,
    )


def histogram_svg(*shown: Any, **options: Any) -> str:
    return str(histogram(*shown, **options))


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def bars(svg: str) -> list[dict[str, str]]:
    return [each.attrib for each in parsed(svg).iter("rect") if each.attrib["class"] == "bars"]


def test_bars_are_as_high_as_shares():
    drawn = bars(histogram_svg(distribution(train=(1, 3, 0, 6)), "of it"))
    heights = [float(each["height"]) for each in drawn]
    assert len(heights) == 3
    assert heights[1] / heights[0] == pytest.approx(3, abs=0.02)
    assert heights[2] / heights[0] == pytest.approx(6, abs=0.05)


def test_bars_on_a_logarithmic_axis():
    drawn = bars(histogram_svg(distribution(train=(1, 10, 100), logarithmic=True), "of it"))
    tops = [float(each["y"]) for each in drawn]
    assert tops[0] - tops[1] == pytest.approx(tops[1] - tops[2], abs=0.2)


def test_other_splits_are_lines_in_per_cent_of_their_own():
    svg = histogram_svg(distribution(train=(10, 30), validation=(1, 3)), "of it")
    (line,) = [each for each in parsed(svg).iter("path") if each.attrib["class"] == "steps"]
    heights = [float(height) for height in re.findall(r"V([\d.]+)H", line.attrib["d"])]
    assert heights == pytest.approx([float(each["y"]) for each in bars(svg)], abs=0.1)


@given(
    counts=st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda counts: sum(counts) > 1e-3),
    logarithmic=st.booleans(),
)
def test_everything_stays_inside_the_picture(counts: list[float], logarithmic: bool):
    svg = histogram_svg(distribution(train=tuple(counts), validation=tuple(counts), logarithmic=logarithmic), "of it")
    _, _, width, height = map(float, parsed(svg).attrib["viewBox"].split())
    for each in bars(svg):
        x, y, w, h = (float(each[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height
    for text in parsed(svg).iter("text"):
        if "transform" not in text.attrib:
            assert 0 <= float(text.attrib["x"]) <= width
            assert 0 <= float(text.attrib["y"]) <= height


def test_a_marker_is_drawn_where_there_is_room_for_it():
    shown = distribution(train=(1, 2))
    assert 'class="marker"' in histogram_svg(shown, "of it", marker=1.5)
    assert 'class="marker"' not in histogram_svg(shown, "of it", marker=2.5)


def test_descriptions_are_text():
    assert parsed(histogram_svg(distribution(train=(1,)), 'a "<b>" & c')).attrib["aria-label"] == 'a "<b>" & c'


def test_parts_of_a_bar_fill_it():
    svg = str(stacked_bar({"one": (1.0, "key"), "two & three": (3.0, "other")}, "it"))
    drawn = [each.attrib for each in parsed(svg).iter("rect")]
    assert [float(each["width"]) for each in drawn] == [25, 75]
    assert float(drawn[1]["x"]) == 25
    assert "two &amp; three: 75.0 %" in svg


def test_numbers_in_words():
    assert [share_words(share) for share in (0.0, 0.0001, 0.054, 0.99999, 1.0)] == [
        "0 %",
        "under 0.1 %",
        "5.4 %",
        "100 %",
        "100 %",
    ]
    numbers = [number_words(value) for value in (0.0, -0.25, 1234.6, 123456.0)]
    assert numbers == ["0", "−0.25", "1235", "123\u202f456"]


def picture(svg: Svg | str) -> Image.Image:
    data = re.search(r"base64,([^\"]+)", str(svg))
    assert data is not None
    return Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGBA")


def test_planes_stand_upright_and_dead_pixels_are_see_through():
    values = np.array([[0.0, 1.0], [0.5, 0.25]], np.float32)
    live = np.array([[True, True], [False, True]])
    seen = np.asarray(picture(plane_svg(values, live, 6.0, "it")))
    assert seen[1, 0].tolist() == [*colour_table()[0], 255]  # [y, x] = [0, 0] is at the lower left
    assert seen[1, 1].tolist() == [*colour_table()[254], 255]
    assert seen[0, 0, 3] == 0
    assert seen[0, 1].tolist() == [*colour_table()[64], 255]


def test_masks():
    live = np.array([[True, False], [False, False]])
    seen = np.asarray(picture(mask_svg(live, 6.0, "it")))
    assert seen[1, 0].tolist() == [*bytes.fromhex(LIVE_COLOUR[1:]), 255]
    assert (seen[..., 3] == 255).sum() == 1


def test_ticks_are_where_q_is():
    pixels, q_max = 256, 6.4
    svg = parsed(str(plane_svg(np.zeros((pixels, pixels), np.float32), None, q_max, "it")))
    square = next(each for each in svg.iter("rect")).attrib
    labels = {text.text: float(text.attrib["x"]) for text in svg.iter("text") if text.attrib["text-anchor"] == "middle"}
    pixel = float(square["width"]) / pixels
    for label, q in (("−5", -5.0), ("0", 0.0), ("5", 5.0)):
        number = 128 + q / (2 * q_max / pixels)
        assert labels[label] == pytest.approx(float(square["x"]) + (number + 0.5) * pixel, abs=0.06)


def test_the_ramp_runs_from_dark_to_bright():
    seen = np.asarray(picture(ramp_address("inferno")))[0, :, :3].sum(axis=1)
    assert seen[0] < 30
    assert seen[-1] > 600
