"""The tables of the report of a factorisation, as texts."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from dsfu.model.measured.data.reconstruction import Step
from dsfu.model.measured.factorise.factors import CrystalFactors, PlaneFactors
from dsfu.model.measured.order.tables import with_uncertainty
from dsfu.pages.frame import Table
from dsfu.simulate.lattice import Cell

MOST_SHELLS: Final = 24
"""So many lattice vectors are listed, the shortest."""


def numbers_table(factors: CrystalFactors) -> Table:
    """What was measured of every plane, and how well it is described."""
    solved = factors.method != "network"
    uncertain = any(plane.sigma_form_factor is not None for plane in factors.planes)
    heads = ["plane", ">pixels", ">half side", ">measured", ">misfit", ">background"]
    heads += [">I_FF from data"] if solved else []
    heads += [">uncertainty of I_FF", ">of I_SRO"] if uncertain else []
    heads += [">stretch along x", ">along y"] if factors.stretched else []
    rows = []
    for number, plane in enumerate(factors.planes):
        row = [
            short_name(plane),
            f"{plane.plane.pixels}²",
            f"{plane.plane.q_max:.4g} {plane.measured.unit}",
            f"{100 * plane.measured.coverage:.1f} %",
            f"{100 * plane.misfit:.2f} %",
            f"{plane.background:.4g}",
        ]
        row += [f"{100 * float(plane.from_data.mean()):.1f} %"] if solved else []
        row += _uncertainties(plane) if uncertain else []
        if factors.axis_scales is not None and factors.stretched:
            row += [f"{100 * (scale - 1):+.3f} %".replace("-", "−") for scale in factors.axis_scales[number]]
        rows.append(row)
    return Table(title="In numbers", heads=heads, rows=rows, note=_numbers_note(solved, uncertain))


def _numbers_note(solved: bool, uncertain: bool) -> str:
    note = "Misfit: root mean square of observed − model over that of observed, noise included."
    if solved:
        note += " I_FF follows from data where there are data and I_SRO is not near zero; elsewhere it is a guess."
    if uncertain:
        note += (
            " Uncertainties: median of the pixels' standard uncertainties"
            f"{' where I_FF follows from data' if solved else ''}, relative to the largest value."
        )
    return note


def _uncertainties(plane: PlaneFactors) -> list[str]:
    where = plane.from_data if plane.from_data.any() else np.ones_like(plane.live)
    found = []
    for sigma, values in ((plane.sigma_form_factor, plane.form_factor), (plane.sigma_sro, plane.sro)):
        top = float(values[where].max())
        known = sigma is not None and top > 0
        found.append(f"{100 * float(np.median(sigma[where])) / top:.2g} %" if known and sigma is not None else "–")
    return found


def alpha_table(factors: CrystalFactors) -> Table | None:
    """α of the nearest lattice vectors; None from a network."""
    cell = next((plane.cell for plane in factors.planes if plane.cell is not None), None)
    if factors.alpha is None or factors.alpha_vectors is None or cell is None:
        return None
    lengths = np.linalg.norm(factors.alpha_vectors @ cell.vectors, axis=1)
    order = [int(i) for i in np.argsort(np.round(lengths, 6), kind="stable") if factors.alpha_vectors[i].any()]
    sines = factors.alpha_sines
    with_sines = sines is not None and bool(np.abs(sines).max(initial=0.0) > 0)
    covariance = factors.alpha_covariance
    rows = []
    for i in order[:MOST_SHELLS]:
        sigma = 0.0 if covariance is None else float(np.sqrt(max(covariance[i, i], 0.0)))
        row = [
            "  ".join(f"{each:d}".replace("-", "−") for each in factors.alpha_vectors[i]),
            f"{lengths[i]:.3f}",
            with_uncertainty(float(factors.alpha[i]), sigma, digits=4).replace("-", "−"),
        ]
        if with_sines:
            assert sines is not None
            row.append(f"{sines[i]:.4f}".replace("-", "−"))
        rows.append(row)
    heads = [">u v w", ">length (Å)", ">α", *([">with sines"] if with_sines else [])]
    return Table(
        title="Warren–Cowley parameters", heads=heads, rows=rows, note=_alpha_note(factors, len(order), with_sines)
    )


def _alpha_note(factors: CrystalFactors, found: int, with_sines: bool) -> str:
    note = f"The {min(found, MOST_SHELLS)} shortest of {found} lattice vectors, one of each ±, as the solver found them"
    note += " without symmetry."
    if factors.alpha_covariance is not None:
        note += " In brackets the standard uncertainty of the last digits."
    if len(factors.planes) == 1:
        note += (
            " One plane cannot tell vectors with the same projection apart: each value is the sum over all of them of "
            "α cos φ (φ from the layer's height), relative to that of the origin."
        )
    if with_sines:
        note += " This plane lies between layers, where sums with sines come in too."
    return note + " dsfu-model refine-sro averages over symmetry and tabulates by shell."


def about_table(factors: CrystalFactors, made: str) -> Table:
    """What was done, with what."""
    cells = dict.fromkeys(_cell_words(plane.cell) for plane in factors.planes if plane.cell is not None)
    sources = dict.fromkeys(plane.measured.source for plane in factors.planes if plane.measured.source)
    rows = [
        ["data", "; ".join(sources) or "unknown"],
        ["planes", ", ".join(short_name(plane) for plane in factors.planes)],
        ["cell", "; ".join(cells) or "unknown"],
        ["method", factors.method],
        *([name.replace("_", " "), _words(value)] for name, value in factors.settings.items()),
        ["made", made],
    ]
    return Table(title="Settings", heads=["", ""], rows=rows)


def history_table(factors: CrystalFactors) -> Table:
    """What was done to the data, in order: what planes share once, and settings only in their own table."""
    rows = []
    names = [short_name(plane) for plane in factors.planes]
    steps = [[_step(step) for step in plane.measured.history] for plane in factors.planes]
    shared = 0
    while all(len(each) > shared and each[shared] == steps[0][shared] for each in steps):
        shared += 1
    rows += [["all planes" if len(names) > 1 else names[0], *each] for each in steps[0][:shared]]
    for name, own in zip(names, steps, strict=True):
        rows += [[name, *each] for each in own[shared:]]
    for step in factors.history:
        told = {name: value for name, value in step.parameters.items() if name not in factors.settings}
        rows.append(["all planes" if len(names) > 1 else names[0], step.name, _words(told)])
    return Table(title="What was done", heads=["plane", "step", "parameters"], rows=rows)


def short_name(plane: PlaneFactors) -> str:
    """Without the file that it is from."""
    return plane.name.partition(" of ")[0] or "plane"


def _step(step: Step) -> tuple[str, str]:
    return step.name, _words(step.parameters)


def _cell_words(cell: Cell) -> str:
    a, b, c, alpha, beta, gamma = cell.constants
    return f"a = {a:.6g}, b = {b:.6g}, c = {c:.6g} Å; α = {alpha:.6g}°, β = {beta:.6g}°, γ = {gamma:.6g}°"


def _words(value: Any) -> str:
    """Values of any kind as a reader would write them."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(name).replace('_', ' ')} {_words(each)}" for name, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}".replace("-", "−")
    if isinstance(value, Iterable) and not isinstance(value, str):
        entries = [_words(each) for each in value]
        nested = any(isinstance(each, Mapping | list | tuple) for each in value)
        return ("; " if nested else ", ").join(entries)
    return value if isinstance(value, str) else json.dumps(value, default=str)
