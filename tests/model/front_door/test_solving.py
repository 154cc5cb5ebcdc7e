"""Solvers at the front door: a particle and a crystal whose structures are known."""

from pathlib import Path

import numpy as np
import pytest

import dsfu
from dsfu.errors import InputError
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.samples import ParticleSpec, simulate
from dsfu.simulate.particles.shapes import Shape
from tests.model.front_door.test_front_door import shows_itself
from tests.model.problems.phases.made_elsewhere import packed, write_hkl


def test_a_particle(tmp_path: Path) -> None:
    experiment = PdfExperiment(q_max=22.0)
    made = simulate(ParticleSpec(shape=Shape("Octahedron", (4,)), bond_length=2.8, experiment=experiment))
    rows = "".join(f"{r:.2f} {g:.7f}\n" for r, g in zip(experiment.r, made.pdf, strict=True))
    (tmp_path / "a.gr").write_text(rows)
    particle = dsfu.solve_particle(tmp_path / "a.gr", q_max=22.0)
    shows_itself(particle, "44 atoms")
    assert particle.candidates[0].atoms == 44
    dataset = particle.to_xarray()
    assert float(np.abs(dataset.g - dataset.fit).max()) < 0.3 * float(np.abs(dataset.g).max())
    assert (particle.save(tmp_path / "out", element="Pt") / "report.html").is_file()
    with pytest.raises(InputError, match="has files already"):
        particle.save(tmp_path / "out")


def test_phases(tmp_path: Path) -> None:
    write_hkl(tmp_path / "x.hkl", packed("C4H4NH", "P -1"), 0.8)
    phases = dsfu.solve_phases(tmp_path / "x.hkl")
    shows_itself(phases, "P-1", "solved")
    assert phases.verdict.startswith("solved")
    assert phases.to_xarray().density.dims == ("x", "y", "z")
    assert (phases.save(tmp_path / "out") / "x.html").is_file()
