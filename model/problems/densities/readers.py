"""Powder patterns from files as users have them: columns, powder CIF, GSAS, FullProf and those of instruments."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from dsfu.errors import InputError
from dsfu.model.problems.densities.columns import commas_of, intensity_column
from dsfu.model.problems.densities.equal_steps import layout_of, read_equal_steps
from dsfu.model.problems.densities.powder import FEWEST_POINTS, PowderPattern
from dsfu.model.problems.densities.powder_cif import looks_like_cif, read_powder_cif
from dsfu.model.problems.densities.radiation import flight_error, refuse_neutrons
from dsfu.simulate.arrays import FloatArray
from dsfu.text_files import text_of_file

_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?")
_WAVELENGTH: Final = re.compile(
    r"(?:wave_?\s*-?length|lambda|λ|wave_length_alpha1|kalpha1|_?WL1\b)[^\d\n]{0,40}?(\d+\.\d+)", re.IGNORECASE
)
_EXPECTED: Final = (
    "columns of 2θ in degrees and intensity (.xy, .xye, .csv, .chi, .ras), a powder CIF, GSAS, FullProf, .xrdml, .uxd, "
    ".udf, .asc, .cpi or .mdi"
)

_EXPORT: Final = "export it as columns of 2θ and intensity (.xy)"

_AS_MUCH_BELOW: Final = 0.5
_AS_DEEP: Final = 0.2
"""Area below zero over that above, and depth over height, of what is no pattern. Chosen: four measured G(r) have 1.02
to 1.06 and .35 to .71, thirteen measured powders 0; patterns whose background was taken out lie between."""

_STEADY: Final = 0.8
"""Share of the steps of an axis that go one way, of those that go anywhere: angles may be rounded to the same number.
Chosen: scans one after another go back now and then, counts often."""

_SHORTEST_D: Final = 0.2
"""Å. Chosen: thirteen measured powders end at .41 or more, and Q = 25 1/Å, far for such data, is .25."""

_LONGEST_D: Final = 6.0
"""Å that the last angle must reach. Chosen: thirteen measured powders end at 1.6 or less; Q in 1/Å, read as angles,
ends at 10 or more."""


def read_pattern(path: Path, wavelength: float | None = None) -> PowderPattern:
    """Read a pattern; what it is is found out by content. ``wavelength`` in Å overrules the file's."""
    text = text_of_file(path, _EXPECTED, decimal_commas=True)
    if not looks_like_cif(text):
        refuse_neutrons(text, path.name)
    for fits, read in _READERS:
        if fits(text):
            found = read(text, path.name, wavelength)
            break
    if wavelength is not None:
        found = _replace_wavelength(found, wavelength)
    if found.wavelength is not None and not 0.05 <= found.wavelength <= 5:
        raise InputError(
            f"the wavelength is {found.wavelength} Å",
            where=str(path),
            expected="0.05 to 5 Å",
            remedy="--wavelength 1.5406",
        )
    angles = found.two_theta[np.isfinite(found.two_theta)]
    if len(angles) < FEWEST_POINTS:
        raise InputError(f"{len(angles)} points were found", where=str(path), expected=_EXPECTED)
    if angles.min() < -5 or angles.max() > 181:
        raise InputError(
            f"angles run from {angles.min():.6g} to {angles.max():.6g}",
            where=str(path),
            expected="2θ in degrees (a head of the columns may say Q or d instead); times of flight are not read",
        )
    _refuse_other_things(found, str(path))
    return found


def _refuse_other_things(found: PowderPattern, where: str) -> None:
    """No search for minutes in what is a G(r), or with a wavelength in nm."""
    counts = found.counts[np.isfinite(found.counts)]
    below, above = -counts[counts < 0].sum(), counts[counts > 0].sum()
    if below > _AS_MUCH_BELOW * above and counts.min() < -_AS_DEEP * counts.max():
        raise InputError(
            "the intensities are below zero as often as above",
            where=where,
            expected="a powder pattern, counts against 2θ",
            remedy="a pair distribution function G(r) goes to solve-particle",
        )
    if found.wavelength is None:
        return
    shortest = found.wavelength / (2 * np.sin(np.radians(np.nanmax(found.two_theta) / 2)))
    if shortest < _SHORTEST_D:
        raise InputError(
            f"with a wavelength of {found.wavelength:g} Å the angles reach d = {shortest:.2g} Å",
            where=where,
            expected=f"d of {_SHORTEST_D} Å or more",
            remedy="is the wavelength in nm? Copper has --wavelength 1.5406 (Å)",
        )
    if shortest > _LONGEST_D:
        raise InputError(
            f"the angles end at {np.nanmax(found.two_theta):.3g} degrees, where d is {shortest:.3g} Å",
            where=where,
            expected=f"2θ in degrees, to a d of {_LONGEST_D:g} Å or less",
            remedy="if the first column is Q, write a head above it: # Q (1/A)",
        )


def _replace_wavelength(found: PowderPattern, wavelength: float) -> PowderPattern:
    notes = found.notes
    if found.wavelength is not None and abs(found.wavelength - wavelength) > 0.005 * wavelength:
        notes = (*notes, f"the file says {found.wavelength:g} Å; {wavelength:g} Å, as given, was used")
    return replace(found, wavelength=wavelength, notes=notes)


def _read_cif(text: str, name: str, wavelength: float | None) -> PowderPattern:
    return read_powder_cif(text, name, wavelength)


_BANK: Final = re.compile(r"^BANK\s+\d+\s+(\d+)\s+\d+\s+(\w+)\s+(\S+)\s+(\S+).*?(STD|ESD|ALT|FXYE|FXY)?\s*$", re.M)


def _read_gsas(text: str, name: str, wavelength: float | None) -> PowderPattern:
    """BANK line, then intensities; angles in hundredths of degrees."""
    found = _BANK.search(text)
    assert found is not None
    points, binning, start, step, kind = int(found[1]), found[2].upper(), found[3], found[4], found[5] or "STD"
    if binning.startswith("TIME") or binning in ("RALF", "SLOG", "LOG6"):
        raise flight_error(name)
    body = text[found.end() :].split("BANK")[0]
    if kind in ("FXYE", "FXY"):
        rows = _rows(body, name)
        return _pattern(name, rows[:, 0] / 100, rows[:, 1], rows[:, 2] if kind == "FXYE" else None, None, text)
    lines = [line.rstrip("\n") for line in body.splitlines() if line.strip() and not line.startswith("#")]
    if kind == "ESD":
        values = [float(each) for line in lines for each in re.findall(r".{1,8}", line) if each.strip()]
        counts, sigma = np.array(values[0::2][:points]), np.array(values[1::2][:points])
    else:  # ten fields of two columns for detectors and six for counts
        fields = [each[2:] for line in lines for each in re.findall(r".{1,8}", line) if each.strip()]
        counts, sigma = np.array([float(each or 0) for each in fields][:points]), None
    angles: FloatArray = np.asarray((float(start) + float(step) * np.arange(len(counts))) / 100, np.float64)
    return _pattern(name, angles, counts, sigma, None, text)


_RANGE: Final = re.compile(r"^\s*([\d.]+)\s+([\d.]+)\s+([\d.]+)(?:\s+\D.*)?\s*$")


def _is_fullprof(text: str) -> bool:
    """A line of start, step and stop, before lines of intensities alone whose number agrees."""
    return _fullprof_range(text) is not None


def _fullprof_range(text: str) -> tuple[int, float, float, float] | None:
    for number, line in enumerate(text.splitlines()[:8]):
        found = _RANGE.match(line)
        if found:
            start, step, stop = (float(each) for each in found.groups())
            if 0 < step < 1 and start < stop <= 180:
                expected = round((stop - start) / step) + 1
                rest = text.splitlines()[number + 1 :]
                values = sum(len(each.split()) for each in rest)
                if expected >= FEWEST_POINTS and expected - 3 <= values <= expected * 1.02 + 12:
                    return number, start, step, stop
    return None


def _read_fullprof(text: str, name: str, wavelength: float | None) -> PowderPattern:
    told = _fullprof_range(text)
    assert told is not None
    line, start, step, stop = told
    numbers = _NUMBER.findall("\n".join(text.splitlines()[line + 1 :]))
    counts = np.array([float(each) for each in numbers])[: round((stop - start) / step) + 1]
    angles: FloatArray = np.asarray(start + step * np.arange(len(counts)), np.float64)
    return _pattern(name, angles, counts, None, None, text)


def _read_xrdml(text: str, name: str, wavelength: float | None) -> PowderPattern:
    """PANalytical's XML: start, end, counts; the wavelength is K-alpha-1."""
    ends = re.search(
        r'axis="2Theta"[^>]*>\s*<startPosition>([\d.]+)</startPosition>\s*<endPosition>([\d.]+)</endPosition>', text
    )
    counts = re.search(r"<(counts|intensities)[^>]*>([^<]+)</", text)
    if ends is None or counts is None:
        raise InputError("no scan of 2θ with counts in this .xrdml", where=name, expected=_EXPECTED)
    values = np.array(counts[2].split(), np.float64)
    weaker = re.search(r"<beamAttenuationFactors[^>]*>([^<]+)</", text)
    # Of "counts" the attenuator is not taken out yet, of "intensities" it is.
    if counts[1] == "counts" and weaker is not None and len(weaker[1].split()) == len(values):
        values = values * np.array(weaker[1].split(), np.float64)
    told = re.search(r"<kAlpha1[^>]*>([\d.]+)</kAlpha1>", text)
    return _pattern(
        name,
        np.asarray(np.linspace(float(ends[1]), float(ends[2]), len(values)), np.float64),
        values,
        None,
        float(told[1]) if told else None,
        "",
    )


def _read_columns(text: str, name: str, wavelength: float | None) -> PowderPattern:
    """Two or more columns; a head may say that the first is Q or d."""
    rows = _rows(text, name)
    if rows.shape[1] < 2:
        raise InputError("only one column of numbers was found", where=name, expected=_EXPECTED, remedy=_EXPORT)
    head = " ".join(line for line in text.splitlines()[:60] if not re.match(r"^\s*[-+.\d]", line)).lower()
    told = wavelength or _told_wavelength(text)
    axis = rows[:, 0]
    steps = np.diff(axis)
    if len(steps) and max((steps > 0).sum(), (steps < 0).sum()) <= _STEADY * np.count_nonzero(steps):
        raise InputError(
            "the first column neither rises nor falls, as counts alone would be", where=name, expected=_EXPECTED,
            remedy=_EXPORT,
        )  # fmt: skip
    notes: tuple[str, ...] = ()
    in_q = re.search(
        r"(?<![a-z])q(?![a-z])\s*[,;\[(_/]|(?<![a-z])q\s+(?:i|a)|q_?(?:inv|nm|a)"
        r"|(?<![a-z])(?:a(?:ng\w*)?|nm)\^?{?-1|q-space",
        head,
    )
    in_d = re.search(r"(?<![a-z])d(?:[-_ ]?spacing|[_ ]*[\[(](?:a|å))", head)
    if (in_q or in_d) and "theta" not in head and "2th" not in head:
        if told is None:
            raise InputError(
                "the first column is not an angle, and no wavelength is known", where=name, remedy="--wavelength 1.5406"
            )
        scale = 0.1 if "nm" in head or "nanomet" in head else 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            sine = axis * scale * told / (4 * np.pi) if in_q else told / (2 * axis)
            axis = np.degrees(2 * np.arcsin(np.where(np.abs(sine) < 1, sine, np.nan)))
        notes = (f"the first column was taken as {'Q' if in_q else 'd'}",)
    second = intensity_column(text, rows.shape[1])
    counts = rows[:, second]
    if "*RAS_INT_START" in text and rows.shape[1] == 3:
        # Rigaku's third column: by how much an attenuator made the beam weaker.
        return _pattern(name, axis, counts * rows[:, 2], None, wavelength, text, notes)
    sigma = rows[:, 2] if rows.shape[1] == 3 and second == 1 and (rows[:, 2] > 0).mean() > 0.9 else None
    return _pattern(name, axis, counts, sigma, wavelength, text, notes)


def _read_equal_steps(text: str, name: str, wavelength: float | None) -> PowderPattern:
    found = read_equal_steps(text, name)
    told = wavelength if wavelength is not None else found.wavelength
    return _pattern(name, found.two_theta, found.counts, None, told, text)


def _rows(text: str, name: str) -> FloatArray:
    """The longest run of lines that hold the same number of numbers and nothing else."""
    commas = commas_of(text)
    by_width: dict[int, list[list[float]]] = {}
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#!'*;_/":
            continue
        line = commas(line)
        parts = re.split(r"[\s,;]+", line.strip(" ,;"))
        try:
            values = [float(part.replace("D", "e")) for part in parts]
        except ValueError:
            continue
        by_width.setdefault(len(values), []).append(values)
    if not by_width:
        raise InputError("no numbers were found", where=name, expected=_EXPECTED)
    width = max(by_width, key=lambda each: (each > 1, len(by_width[each])))
    return np.array(by_width[width], np.float64)


def _told_wavelength(text: str) -> float | None:
    found = _WAVELENGTH.search(text[:8000])
    return float(found[1]) if found and 0.05 <= float(found[1]) <= 5 else None


def _pattern(
    name: str, angles: FloatArray, counts: FloatArray, sigma: FloatArray | None, wavelength: float | None, text: str,
    notes: tuple[str, ...] = (),
) -> PowderPattern:  # fmt: skip
    told = wavelength if wavelength is not None else _told_wavelength(text)
    return PowderPattern(two_theta=angles, counts=counts, sigma=sigma, wavelength=told, name=name, notes=notes)


_READERS: Final[tuple[tuple[Callable[[str], object], Callable[[str, str, float | None], PowderPattern]], ...]] = (
    (lambda text: "<xrdMeasurement" in text, _read_xrdml),
    (looks_like_cif, _read_cif),
    (lambda text: _BANK.search(text), _read_gsas),
    (layout_of, _read_equal_steps),
    (_is_fullprof, _read_fullprof),
    (lambda text: True, _read_columns),
)
