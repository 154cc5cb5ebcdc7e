"""One sample of the particle problem: a shape, a bond length and an experiment in, G(r) and positions out."""

from dataclasses import dataclass, field

import numpy as np

from dsfu.simulate.arrays import Float32Array
from dsfu.simulate.particles.debye import DistanceTable, distance_table, known_shapes
from dsfu.simulate.particles.experiment import PdfExperiment, with_baseline, with_noise
from dsfu.simulate.particles.shapes import Shape


@dataclass(frozen=True, kw_only=True)
class ParticleSpec:
    """All that determines a sample.

    Attributes
    ----------
    shape, bond_length, b_iso, delta2
        The particle: lengths in Å, B and δ₂ in Å².
    experiment
        Limits of Q and r, damping.
    noise, baseline
        Shares of the maximum of G: standard deviation of white noise, and the largest value of a slow baseline.
    seed
        Of both.
    """

    shape: Shape
    bond_length: float
    b_iso: float = 0.3
    delta2: float = 0.0
    experiment: PdfExperiment = field(default_factory=PdfExperiment)
    noise: float = 0.0
    baseline: float = 0.0
    seed: int = 0

    @property
    def group(self) -> str:
        """What must not be split between training and test: the shape, or the sequence of layers."""
        return group_of(self.shape)


def group_of(shape: Shape) -> str:
    """What must not be split between training and test: the shape, or the sequence of layers."""
    return str(shape.parameters[0]) if shape.family == "Faulted" else str(shape)


@dataclass(frozen=True, eq=False)
class ParticleSample:
    """G(r) in 1/Å², and the positions of the atoms in Å."""

    pdf: Float32Array
    positions: Float32Array


def simulate(spec: ParticleSpec) -> ParticleSample:
    """The sample of a specification."""
    return simulate_many([spec])[0]


def simulate_many(specs: list[ParticleSpec]) -> list[ParticleSample]:
    """Several samples. Those that share a shape share its distances, those that share an experiment its transform."""
    shapes = list(dict.fromkeys(spec.shape for spec in specs))
    table = distance_table([shape.positions for shape in shapes])
    number = {shape: i for i, shape in enumerate(shapes)}
    samples: dict[int, ParticleSample] = {}
    groups: dict[tuple[PdfExperiment, float], list[int]] = {}
    for i, spec in enumerate(specs):
        groups.setdefault((spec.experiment, spec.delta2), []).append(i)
    for (experiment, delta2), members in groups.items():
        pdfs = _pdfs(table, [number[specs[i].shape] for i in members], [specs[i] for i in members], experiment, delta2)
        for i, pdf in zip(members, pdfs, strict=True):
            samples[i] = ParticleSample(_disturbed(pdf, specs[i]), _positions(specs[i]))
    return [samples[i] for i in range(len(specs))]


def _pdfs(
    table: DistanceTable, which: list[int], specs: list[ParticleSpec], experiment: PdfExperiment, delta2: float
) -> Float32Array:
    bonds, b_iso = [spec.bond_length for spec in specs], [spec.b_iso for spec in specs]
    return experiment.pdf(
        known_shapes(table, which, bonds, b_iso, experiment.q_step, experiment.q_points, delta2=delta2)
    )


def _disturbed(pdf: Float32Array, spec: ParticleSpec) -> Float32Array:
    if spec.baseline:
        pdf = with_baseline(pdf, spec.experiment.r, spec.baseline, spec.seed)
    return with_noise(pdf, spec.noise, spec.seed) if spec.noise else pdf


def _positions(spec: ParticleSpec) -> Float32Array:
    return np.asarray(spec.shape.positions * spec.bond_length, np.float32)
