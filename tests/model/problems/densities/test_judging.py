"""When a first candidate is called solved, and which others count as rivals."""

from dataclasses import replace

import numpy as np

from dsfu.model.problems.densities.fit_target import Agreement
from dsfu.model.problems.densities.fitting import Fit
from dsfu.model.problems.densities.judging import judge, ordered
from dsfu.simulate.densities.structure_types import StructureType, shipped_types


def fit_of(name: str, elements: dict[int, int], r: float, parameters: int, axes: tuple[float, ...]) -> Fit:
    kind = next(each for each in shipped_types() if each.name == name).substituted(elements)
    none = np.zeros(0)
    return Fit(
        kind=with_axes(kind, axes), r=r, noise=0.0, agreement=Agreement(r**2, 1.0), zero=0.0, fwhm=0.1, b_iso=0.5,
        texture=1.0, texture_axis=None,
        parameters=parameters, two_theta=none, net=none, calculated=none,
    )  # fmt: skip


def with_axes(kind: StructureType, axes: tuple[float, ...]) -> StructureType:
    return kind.moved(np.array([*axes, 90.0, 90.0, 90.0]), np.zeros(kind.free))


def chalcopyrites(parameters_of_second: int) -> list[Fit]:
    """Copper and iron in layers, and as in chalcopyrite, which has as many numbers to fit in twice the cell."""
    first = next(each for each in shipped_types() if each.name == "ABC2_tP4_115_a_c_g")
    second = next(each for each in shipped_types() if each.name == "ABC2_tI16_122_a_b_d")
    layers, ordered = (
        dict(zip(sorted(kind.composition, key=lambda z: kind.composition[z]), (29, 26, 16), strict=True))
        for kind in (first, second)
    )
    return [
        fit_of(first.name, layers, 0.100, 9, (3.74, 3.74, 5.212)),
        fit_of(second.name, ordered, 0.102, parameters_of_second, (5.29, 5.29, 10.424)),
    ]


def test_a_rival_that_fits_as_well_with_as_few_parameters_is_a_rival() -> None:
    verdict, reason = judge(chalcopyrites(9))
    assert verdict == "uncertain"
    assert "another type fits nearly as well" in reason


def test_a_rival_that_needs_more_parameters_to_fit_as_well_is_none() -> None:
    assert judge(chalcopyrites(14))[0] == "solved"


def test_a_distorted_structure_that_fits_as_well_is_named() -> None:
    cubic = fit_of("AB3C_cP5_221_a_c_b", {20: 38, 22: 22, 8: 8}, 0.100, 7, (3.905, 3.905, 3.905))
    turned = fit_of("A3BC_tI20_140_SrTiO3-t", {38: 38, 22: 22, 8: 8}, 0.098, 10, (5.522, 5.522, 7.81))
    verdict, reason = judge([cubic, turned])
    assert verdict == "solved"
    assert "slightly distorted" in reason
    assert "I4/mcm" in reason


def test_an_order_of_elements_that_scatter_alike_is_not_called_solved() -> None:
    unfitted = chalcopyrites(9)[0]
    layers = replace(unfitted, kind=unfitted.kind.moved(unfitted.kind.cell, np.array([0.06])))  # sulphur in its middle
    verdict, reason = judge([layers])
    assert verdict == "uncertain"
    assert "Fe and Cu scatter alike" in reason
    told_apart = replace(layers, kind=layers.kind.substituted({26: 13}))
    assert judge([told_apart])[0] == "solved"
    # Mg and Al of spinel scatter alike, too, but its symmetry does not rest on which is where.
    spinel = fit_of("A2BC4_cF56_227_d_a_e", {}, 0.1, 8, (8.08, 8.08, 8.08))
    assert judge([spinel])[0] == "solved"


def test_an_order_that_rests_on_hydrogen_alone_is_not_called_solved() -> None:
    """KH2PO4 with 137 counts was called solved as Fdd2, its phase of the cold, where hydrogen is ordered."""
    cold = fit_of("A2BC4D_oF64_43_b_a_2b_a", {}, 0.1, 20, (10.54, 10.54, 6.97))
    assert judge([cold]) == (
        "uncertain",
        "R = 0.10 (0.10 without noise), but without hydrogen, of which X-rays see little, its symmetry would be I-42d",
    )
    warm = fit_of("A2BC4D_tI32_122_KH2PO4", {}, 0.1, 13, (7.453, 7.453, 6.975))
    brucite = fit_of("A2BC2_hP5_164_d_a_d", {}, 0.1, 9, (3.147, 3.147, 4.769))
    hexagonal = replace(brucite, kind=replace(brucite.kind, cell=(3.147, 3.147, 4.769, 90.0, 90.0, 120.0)))
    assert [judge([each])[0] for each in (warm, hexagonal)] == ["solved", "solved"]


def test_a_distortion_that_may_be_an_impurity_hidden_in_the_noise_is_not_called_solved() -> None:
    """SnO2 with 3 % of another phase: CaCl2's distortion takes 56 of the squares away, whose noise is 1661 ± 58."""
    true = fit_of("A2B_tP6_136_f_a", {8: 8, 22: 50}, 0.1, 9, (4.738, 4.738, 3.187))
    drawn = fit_of("AB2_oP6_58_a_g", {20: 50, 17: 8}, 0.1, 11, (4.735, 4.740, 3.187))
    drawn = replace(drawn, agreement=Agreement(1713, 27000, 1661, 58))
    verdict, reason = judge([drawn, replace(true, agreement=Agreement(1769, 27000, 1661, 58))])
    assert verdict == "uncertain"
    assert "higher symmetry P42/mnm" in reason
    assert judge([drawn, replace(true, agreement=Agreement(1860, 27000, 1661, 58))])[0] == "solved"


def test_a_smaller_cell_comes_first_only_if_lines_of_the_larger_take_nothing_away() -> None:
    """La0.7Sr0.3MnO3: R-3c leaves 3265 of the squares, R32 in half the cell 3277, with nine numbers each."""
    tilted = next(each for each in shipped_types() if each.prototype == "PrNiO3").substituted({59: 57, 28: 25})
    half = StructureType(
        name="half", prototype="half", number=155, hall='R 3 2"', cell=(5.499, 5.499, 6.678, 90.0, 90.0, 120.0),
        sites=((57, (0.0, 0.0, 0.0)), (25, (0.0, 0.0, 0.5)), (8, (0.0, 0.4953, 0.0))),
    )  # fmt: skip
    large = fit_of(tilted.name, {59: 57, 28: 25}, 0.1, 9, (5.499, 5.499, 13.355))
    large = replace(large, kind=tilted.moved(np.array([5.499, 5.499, 13.355, 90.0, 90.0, 120.0]), np.array([0.03])))

    def first(squares: float) -> int:
        small = replace(large, kind=half, agreement=Agreement(squares, 45600, 3079, 60))
        return ordered([replace(large, agreement=Agreement(3265, 45600, 3079, 60)), small])[0].kind.number

    assert first(3277) == 167
    assert first(3266) == 155
