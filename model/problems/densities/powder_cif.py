"""Powder CIF as found in the wild: without data_ lines, with misspelt tags, with several blocks."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.densities.powder import FEWEST_POINTS, PowderPattern
from dsfu.model.problems.densities.radiation import flight_error, has_flight_times, neutron_block, neutron_error
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.constants import TUBES

_INTENSITIES: Final = (
    r"_pd_meas_counts_total", r"_pd_meas_intensity_total", r"_pd_proc_intensity_total", r"_pd_meas_intensity_net",
    r"_pd_proc_intensity_net", r"_pd_meas_counts\w*", r"_pd_(?:meas|proc)\w*inten\w*(?<!bkg_calc)(?<!background)",
    r"_\w*(?:intens|count)\w*",
)  # fmt: skip
"""Tags of measured intensity, the rawest first."""

_ANGLES: Final = (r"_pd_proc_2theta_corrected", r"_pd_meas_2theta_scan", r"_\w*2_?theta\w*", r"_\w*angle\w*")


@dataclass(frozen=True)
class _Loop:
    tags: tuple[str, ...]
    rows: list[list[str]]
    block: str


def looks_like_cif(text: str) -> bool:
    """Whether tags of the powder dictionary are there."""
    return re.search(r"^\s*_pd_\w+", text, re.MULTILINE) is not None


def read_powder_cif(text: str, name: str, wavelength: float | None = None) -> PowderPattern:
    """The first measured profile of a powder CIF that is not of neutrons."""
    told = wavelength if wavelength is not None else _wavelength(text)
    neutrons = False
    for loop in sorted(_loops(text), key=lambda each: "simul" in each.block.lower()):
        intensity = _column(loop, _INTENSITIES, without="calc|bkg|background|_weight|_su\\b")
        if intensity is None:
            continue
        if neutron_block(text, loop.block):
            neutrons = True
            continue
        angles = _angles(loop, text, told, len(intensity))
        if angles is not None and np.isfinite(angles).sum() >= FEWEST_POINTS:
            return PowderPattern(two_theta=angles, counts=intensity, wavelength=told, name=name)
    if neutrons:
        raise neutron_error(name)
    if has_flight_times(text):
        raise flight_error(name)
    raise InputError(
        "no measured profile is in this CIF",
        where=name,
        expected="a loop_ with 2θ and intensities (_pd_meas_… or _pd_proc_…)",
    )


def _loops(text: str) -> list[_Loop]:
    """All loops that hold rows of numbers, read line by line so that one broken place does not hide the rest."""
    loops: list[_Loop] = []
    block = ""
    tags: list[str] = []
    words: list[str] = []
    state = "out"

    def close() -> None:
        if tags and len(words) >= len(tags) * FEWEST_POINTS:
            width = len(tags)
            rows = [words[i : i + width] for i in range(0, len(words) - width + 1, width)]
            loops.append(_Loop(tuple(tags), rows, block))
        tags.clear()
        words.clear()

    in_text = False
    for raw in text.splitlines():
        if raw.startswith(";"):
            in_text = not in_text
            continue
        line = raw.split(" #")[0].strip()
        if in_text or not line or line.startswith("#"):
            continue
        low = line.lower()
        if low.startswith("data_"):
            close()
            block, state = line, "out"
        elif low.startswith("loop_"):
            close()
            state = "tags"
            tags += [each.lower() for each in line[5:].split() if each.startswith("_")]
        elif line.startswith("_"):
            if state == "tags":
                tags += [each.lower() for each in line.split() if each.startswith("_")]
            else:
                close()
                state = "out"
        elif state in ("tags", "rows") and tags:
            state = "rows"
            words += line.split()
    close()
    return loops


def _column(loop: _Loop, patterns: tuple[str, ...], without: str = "calc") -> FloatArray | None:
    for pattern in patterns:
        for number, tag in enumerate(loop.tags):
            if re.fullmatch(pattern, tag) and not re.search(without, tag):
                values = np.array([_value(row[number]) for row in loop.rows])
                if np.isfinite(values).sum() >= FEWEST_POINTS:
                    return values
    return None


def _value(word: str) -> float:
    try:
        return float(word.split("(")[0])
    except ValueError:
        return float("nan")


def _angles(loop: _Loop, text: str, wavelength: float | None, points: int) -> FloatArray | None:
    angles = _column(loop, _ANGLES)
    if angles is not None:
        return angles
    spacing = _column(loop, (r"_pd_proc_d_spacing",))
    if spacing is None and (q := _column(loop, (r"_pd_proc_recip_len_q",))) is not None:
        spacing = 2 * np.pi / np.maximum(q, 1e-9)
    if spacing is not None and wavelength is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            sine = wavelength / (2 * spacing)
            return np.asarray(np.degrees(2 * np.arcsin(np.where((sine > 0) & (sine < 1), sine, np.nan))))
    for prefix in ("proc", "meas"):
        start, step = (_number(text, f"_pd_{prefix}_2theta_range_{each}") for each in ("min", "inc"))
        if start is not None and step:
            return np.asarray(start + step * np.arange(points))
    return None


def _number(text: str, tag: str) -> float | None:
    found = re.search(rf"^\s*{tag}\s+['\"]?(?:[A-Za-z]\S*\s+)?(\d*\.?\d+)", text, re.MULTILINE | re.IGNORECASE)
    return float(found[1]) if found else None


def _wavelength(text: str) -> float | None:
    for tag in ("_diffrn_radiation_wavelength", "_pd_proc_wavelength", "_diffrn_radiation_wavelength_wavelength"):
        found = _number(text, tag)
        if found:
            return found
    loop = re.search(r"loop_\s+((?:_diffrn_radiation_wavelength\w*\s+)+)((?:[^_\s]\S*\s+)+)", text, re.IGNORECASE)
    if loop:
        for word in loop[2].split():
            if 0.05 <= _value(word) <= 5:
                return _value(word)
    kind = re.search(r"_diffrn_radiation_type\s+['\"]?\s*(Cu|Mo|Co|Fe|Cr|Ag)\s*K", text, re.IGNORECASE)
    return TUBES[kind[1].lower()] if kind else None
