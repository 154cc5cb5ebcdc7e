"""Makers of the shards of particles: shapes with their distances, and G(r) of samples."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.simulate.particles.debye import DistanceTable, different_distances, known_shapes
from dsfu.simulate.particles.experiment import PdfExperiment, longest_for, with_baseline, with_noise
from dsfu.simulate.particles.fields import PDF_FIELD, packed
from dsfu.simulate.particles.samples import group_of
from dsfu.simulate.particles.shapes import Shape
from dsfu.simulate.random_stream import RandomStream

_DISTANCES = ("atoms", "distances", "multiplicities", "different")


def make_shapes(parameters: Mapping[str, Any], read: ReadNeeded, watch: Stopwatch) -> Arrays:
    """Positions of shapes, and the different distances of all, one shape after the other."""
    shapes = [Shape(family, tuple(values)) for family, *values in parameters["shapes"]]
    with watch.step("build"):
        positions = [shape.positions for shape in shapes]
    with watch.step("distances"):
        distances, multiplicities = zip(*map(different_distances, positions), strict=True)
    padded = np.zeros((len(shapes), parameters["most_atoms"], 3), np.float32)
    for row, own in zip(padded, positions, strict=True):
        row[: len(own)] = own
    return {
        "family": np.array([shape.family for shape in shapes]),
        "name": np.array([str(shape) for shape in shapes]),
        "group": np.array([group_of(shape) for shape in shapes]),
        "atoms": np.array([len(own) for own in positions], np.int32),
        "positions": padded,
        "distances": np.concatenate(distances),
        "multiplicities": np.concatenate(multiplicities),
        "different": np.array([len(own) for own in distances]),
    }


def make_pdfs(parameters: Mapping[str, Any], read: ReadNeeded, watch: Stopwatch) -> Arrays:
    """Samples by their numbers; what is beyond the last is a copy of it, and not kept."""
    numbers, items = parameters["numbers"], parameters["items"]
    filled = np.array(numbers + numbers[-1:] * (items - len(numbers)))
    lengths, copies = np.array(parameters["bond_lengths"]), parameters["copies"]
    # A number counts shapes, in each the bond lengths, in each the copies.
    shape = filled // (len(lengths) * copies)
    drawn = {name: np.array(values) for name, values in _draws(parameters, filled).items()}
    bonds = lengths[filled // copies % len(lengths)]
    rows, table = _table(parameters["tables"], np.unique(shape), read)
    which = np.searchsorted(rows, shape)
    delta2 = parameters["drawn"]["delta2"]
    # How far waves have to be summed follows from a particle's longest distance; those of one length go together.
    extents = bonds * np.array([table.of(k)[0][-1] for k in range(len(table))])[which]
    longest = np.array([longest_for(extent) for extent in extents])
    r = PdfExperiment(**parameters["experiment"]).r
    pdf = np.empty((items, len(r)), np.float32)
    with watch.step("simulate"):
        for each in np.unique(longest):
            own = longest == each
            experiment = PdfExperiment(**parameters["experiment"], longest=float(each))
            grid = (experiment.q_step, experiment.q_points)
            sums = known_shapes(table, which[own], bonds[own], drawn["b_iso"][own], *grid, delta2=delta2)
            pdf[own] = experiment.pdf(sums)
    with watch.step("disturb"):
        for i in np.flatnonzero(drawn["baseline"]):
            pdf[i] = with_baseline(pdf[i], r, float(drawn["baseline"][i]), int(drawn["draw"][i]))
        for i in np.flatnonzero(drawn["noise"]):
            pdf[i] = with_noise(pdf[i], float(drawn["noise"][i]), int(drawn["draw"][i]))
    steps, units = packed(pdf)
    return {
        PDF_FIELD.name: steps,
        "pdf_unit": units,
        "shape": shape.astype(np.int32),
        "atoms": table.atoms[which].astype(np.int32),
        "bond_length": bonds,
        "delta2": np.full(items, float(delta2)),
        "kept": np.arange(items) < len(numbers),
        **{name: np.full(items, float(parameters["experiment"][name])) for name in _OF_EXPERIMENT},
        **drawn,
    }


_OF_EXPERIMENT = ("q_min", "q_max", "q_damp", "r_step")


def _draws(parameters: Mapping[str, Any], numbers: np.ndarray) -> dict[str, list[float]]:
    """B, noise and baseline of each sample, and a seed; they follow from its number and from nothing else."""
    found: dict[str, list[float]] = {"b_iso": [], "noise": [], "baseline": [], "draw": []}
    for number in numbers.tolist():
        random = RandomStream(parameters["seed"], "particle", number)
        for name in ("b_iso", "noise", "baseline"):
            found[name].append(random.uniform(*parameters["drawn"][name]))
        found["draw"].append(int(random.words(1)[0] >> np.uint64(2)))
    return found


def _table(tables: list[tuple[int, str]], wanted: np.ndarray, read: ReadNeeded) -> tuple[np.ndarray, DistanceTable]:
    """The wanted rows of the table of shapes that are there, and their distances."""
    distances, counts, atoms = [], [], []
    for first, key in tables:
        part = read(key, *_DISTANCES, record="shapes.npz")
        ends = np.cumsum(part["different"])
        for row in wanted[(wanted >= first) & (wanted < first + len(ends))] - first:
            own = slice(int(ends[row] - part["different"][row]), int(ends[row]))
            distances.append(part["distances"][own])
            counts.append(part["multiplicities"][own])
            atoms.append(int(part["atoms"][row]))
    starts = np.cumsum([0, *map(len, distances)])
    return wanted, DistanceTable(np.concatenate(distances), np.concatenate(counts), starts, np.array(atoms))
