"""PhAI's ten examples: phases of |F| with indices up to 10 in P2₁/c, whose cells are not told.

    python tests/benchmarks/phases_phai.py --file phai_examples.txt.gz [--most 10]

The file holds |F|, true phase and that of PhAI's network (Larsen, Rekis & Madsen, Science 385, 522, 2024; repository
aslarsen/PhAI). Its structures are artificial and without noise. The group is told. A cell is needed for form factors
only: it is taken from how |F|² falls off along the axes, and refined with the atoms. Phases are by projections within
the group, then of atoms fitted to |F| and to what difference maps show beside them. Correlation: of maps, over all
shifts; signs: the share of right ones among reflections that are not 0, best of the eight permitted origins. One
thread; seconds of the processor.
"""

import argparse
import gzip
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import gemmi
import numpy as np
from scipy.optimize import minimize

sys.path.insert(0, str(Path(__file__).parents[2]))

from dsfu.model.problems.phases.atom_model import AtomModel, ModelFit, refine, structure_factors_of
from dsfu.model.problems.phases.crystal_data import ReflectionList
from dsfu.model.problems.phases.groups import candidate_of
from dsfu.model.problems.phases.in_group import symmetriser
from dsfu.model.problems.phases.laue import find_laue_class
from dsfu.model.problems.phases.merging import MergedData, half_indices, merge, on_grid
from dsfu.model.problems.phases.peaks import find_peaks
from dsfu.model.problems.phases.polishing import density_on_grid, expanded, polish
from dsfu.model.problems.phases.projections import phase

GROUP = gemmi.SpaceGroup("P 1 21/c 1")
CANDIDATE = candidate_of(GROUP)
HIGHEST = 10
COARSE, FINE = (24, 24, 24), 48
STARTS, BATCH, ITERATIONS = 40, 8, 300
GOOD = 0.2
CARBON_AND_DISPLACEMENT = 4.0
"""Å²: |F|² of carbon with usual displacements falls off as exp(−4 Å²/d²), near enough to begin with."""

CellNumbers = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, eq=False)
class Example:
    name: str
    hkl: np.ndarray
    amplitude: np.ndarray
    sign: np.ndarray
    by_network: np.ndarray


def examples(path: Path) -> Iterator[Example]:
    for block in gzip.decompress(path.read_bytes()).decode().split("refcode:")[1:]:
        lines = block.splitlines()
        rows = np.array([[float(word) for word in line.split()] for line in lines[2:] if len(line.split()) == 6])
        sign, by_network = np.sign(np.cos(np.radians(rows[:, 4:6]))).T
        yield Example(lines[0].split()[0], rows[:, :3].astype(np.int64), rows[:, 3], sign, by_network)


def cell_from_fall_off(what: Example) -> CellNumbers:
    """A monoclinic cell in which |F|² falls off alike in all directions, by a linear fit of its logarithm."""
    seen = what.amplitude > 0
    h, k, l = what.hkl[seen].T.astype(float)  # noqa: E741
    columns = np.stack([np.ones(len(h)), -h * h, -k * k, -l * l, -2 * h * l], axis=1)
    _, hh, kk, ll, hl = np.linalg.lstsq(columns, np.log(what.amplitude[seen] ** 2), rcond=None)[0]
    metric = np.array([[hh, 0, hl], [0, kk, 0], [hl, 0, ll]]) / CARBON_AND_DISPLACEMENT
    values, vectors = np.linalg.eigh(metric)
    metric = (vectors * np.maximum(values, 0.1 * values.max())) @ vectors.T
    direct = np.linalg.inv(metric)
    a, b, c = np.sqrt(np.diag(direct))
    return float(a), float(b), float(c), 90.0, float(np.degrees(np.arccos(direct[0, 2] / (a * c)))), 90.0


def solved(what: Example) -> ModelFit | None:
    """The atoms of lowest R1 from some starts."""
    others = what.hkl.any(axis=1)
    intensity = 1e4 * what.amplitude[others] ** 2
    reflections = ReflectionList(
        hkl=what.hkl[others],
        intensity=intensity,
        sigma=np.full(len(intensity), 0.02),
        cell=cell_from_fall_off(what),
        space_group=GROUP,
    )
    data = merge(reflections, find_laue_class(reflections))
    sphere = on_grid(data, COARSE)
    box = (np.abs(half_indices(COARSE)) <= HIGHEST).all(axis=-1)
    sphere = replace(sphere, inside=box, known=sphere.known & box)
    best: ModelFit | None = None
    for first in range(0, STARTS, BATCH):
        maps = [
            phase(sphere, seed=seed, iterations=ITERATIONS, symmetriser=symmetriser(CANDIDATE, COARSE))
            for seed in range(first, first + BATCH)
        ]
        for each in sorted(maps, key=lambda m: m.r)[:3]:
            atoms = polish(data, CANDIDATE, finer(each.density), {})
            if atoms is not None and (best is None or atoms.fit.r1 < best.r1):
                best = atoms.fit
        if best is not None and best.r1 < GOOD:
            break
    return refined(data, best) if best else None


def refined(data: MergedData, fit: ModelFit) -> ModelFit:
    """Cell and atoms in turn; then light atoms where difference maps show them."""
    for light in (False, True, True, True):
        if light:
            fit = replace(fit, model=with_light_atoms(data, fit))
        model = with_cell(data, fit.model)
        fit = refine(model, data.hkl, data.amplitude, data.sigma, cycles=12, with_weights=True)
    return fit


def with_cell(data: MergedData, model: AtomModel) -> AtomModel:
    def misfit(cell: np.ndarray) -> float:
        a, b, c, beta = cell
        if min(a, b, c) < 2 or not 70 < beta < 140:
            return 9.0
        size = np.abs(structure_factors_of(replace(model, cell=(a, b, c, 90.0, beta, 90.0)), data.hkl))
        scale = (size * data.amplitude).sum() / (size * size).sum()
        return float(np.abs(scale * size - data.amplitude).sum() / data.amplitude.sum())

    start = np.array(model.cell)[[0, 1, 2, 4]]
    corners = start + np.vstack([np.zeros(4), np.diag([0.4, 0.4, 0.4, 3.0])])
    a, b, c, beta = minimize(misfit, start, method="Nelder-Mead", options={"maxiter": 80, "initial_simplex": corners}).x
    return replace(model, cell=(float(a), float(b), float(c), 90.0, float(beta), 90.0))


def with_light_atoms(data: MergedData, fit: ModelFit) -> AtomModel:
    model = fit.model
    waves = structure_factors_of(model, data.hkl)
    difference = (data.amplitude - fit.scale * np.abs(waves)) * np.exp(1j * np.angle(waves)) / fit.scale
    density = density_on_grid(data, *expanded(data.hkl, difference, CANDIDATE))
    peaks = find_peaks(
        density, CANDIDATE, model.cell, atoms_in_cell=60.0, least=5.0, avoid=model.positions, nearest=0.7
    )
    count = len(peaks.heights)
    return replace(
        model,
        positions=np.concatenate([model.positions, peaks.positions]),
        numbers=np.concatenate([model.numbers, np.ones(count, dtype=np.int64)]),
        weights=np.concatenate([model.weights, np.ones(count)]),
        u_iso=np.concatenate([model.u_iso, np.full(count, float(np.median(model.u_iso)))]),
        multiplicity=np.concatenate([model.multiplicity, peaks.multiplicity]),
    )


def finer(density: np.ndarray) -> np.ndarray:
    waves = np.zeros((FINE,) * 3, dtype=complex)
    along = np.fft.fftfreq(COARSE[0], 1 / COARSE[0]).astype(int) % FINE
    waves[np.ix_(along, along, along)] = np.fft.fftn(density)
    return np.asarray(np.fft.ifftn(waves).real)


def written_out(what: Example, sign: np.ndarray) -> np.ndarray:
    """F over all indices: F(h −k l) = (−1)^(k+l) F(h k l) in P2₁/c."""
    waves = np.zeros(COARSE)
    value = what.amplitude * sign
    glide = (-1.0) ** (what.hkl[:, 1] + what.hkl[:, 2])
    for turn, factor in (([1, 1, 1], 1.0), ([1, -1, 1], glide), ([-1, -1, -1], 1.0), ([-1, 1, -1], glide)):
        waves[tuple((what.hkl * turn % COARSE).T)] = value * factor
    return waves


def scores(what: Example, sign: np.ndarray) -> tuple[float, float]:
    """Correlation of the maps, and share of right signs."""
    true, ours = written_out(what, what.sign), written_out(what, sign)
    overlap = np.fft.ifftn(true * ours).real.max() * true.size
    seen = what.amplitude > 0
    shares = []
    for half in np.ndindex(2, 2, 2):
        moved = sign * (-1.0) ** (what.hkl @ np.array(half))
        shares.append(float((moved == what.sign)[seen].mean()))
    return float(overlap / (np.linalg.norm(true) * np.linalg.norm(ours))), max(shares)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("/work/shared/data/reflections/phai_examples.txt.gz"))
    parser.add_argument("--most", type=int, default=10)
    options = parser.parse_args()
    if not options.file.is_file():
        print(f"{options.file} is not there: nothing to measure")
        sys.exit(0)
    print("| example | atoms | R1 | correlation | signs | PhAI: correlation | signs | s |")
    print("|---|---|---|---|---|---|---|---|")
    for number, what in enumerate(examples(options.file)):
        if number >= options.most:
            break
        began = time.process_time()
        fit = solved(what)
        seconds = time.process_time() - began
        if fit is None:
            print(f"| {what.name} | no atoms |", flush=True)
            continue
        ours = scores(what, np.sign(structure_factors_of(fit.model, what.hkl).real))
        theirs = scores(what, what.by_network)
        told = f"{ours[0]:.4f} | {ours[1]:.3f} | {theirs[0]:.4f} | {theirs[1]:.3f} | {seconds:.1f}"
        print(f"| {what.name} | {len(fit.model.numbers)} | {fit.r1:.3f} | {told} |", flush=True)
