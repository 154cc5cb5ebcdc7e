"""Pretend to measure a decahedral gold particle: ``python examples/particle.py FILE.gr``."""

import sys
from pathlib import Path

from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape

experiment = PdfExperiment(q_min=0.9, q_max=22.0, q_damp=0.03)
spec = ParticleSpec(
    shape=Shape("Decahedron", (3, 2, 1)),
    bond_length=2.86,
    b_iso=0.9,
    experiment=experiment,
    noise=0.03,
    baseline=0.05,
    seed=1,
)
pdf = simulate(spec).pdf
rows = "".join(f"{r:.2f} {g:.6f}\n" for r, g in zip(experiment.r, pdf, strict=True))
path = Path(sys.argv[1])
path.write_text(f"composition = Au\nqmin = 0.9\nqmax = 22.0\n#### start data\n#L r(A) G(A^-2)\n{rows}")
print(f"{path}: {spec.shape}, {spec.shape.atoms} atoms, b = {spec.bond_length} Å, B = {spec.b_iso} Å²")
