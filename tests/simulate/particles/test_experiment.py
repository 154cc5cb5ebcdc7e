import numpy as np
import pytest
from scipy.integrate import quad

from dsfu.simulate.particles.experiment import PdfExperiment, with_baseline, with_noise
from dsfu.simulate.particles.samples import ParticleSpec, simulate, simulate_many
from dsfu.simulate.particles.shapes import Shape

OCTAHEDRON = Shape("Octahedron", (4,))


def test_g_of_two_atoms_is_the_integral():
    experiment = PdfExperiment(q_min=0.73, q_max=20.3, q_damp=0.03, r_step=0.05, points=200, longest=10)
    q = experiment.q_step * np.arange(experiment.q_points)
    values = experiment.pdf(np.sin(q * 2.5) / 2.5)
    for k in (30, 50, 55, 120):
        r = experiment.r[k]
        integral = quad(lambda x, r=r: np.sin(2.5 * x) / 2.5 * np.sin(x * r), 0.73, 20.3, limit=400)[0]
        # the straight lines between values of Q err by a few thousandths of the peak
        assert values[k] == pytest.approx(2 / np.pi * integral * np.exp(-((r * 0.03) ** 2) / 2), abs=0.02)


def test_a_finer_q_changes_nothing():
    coarse, fine = (simulate(_spec(PdfExperiment(longest=reach))).pdf for reach in (40.0, 400.0))
    assert np.abs(coarse - fine).max() < 2e-3 * fine.max()


def _spec(experiment, **more):
    return ParticleSpec(shape=OCTAHEDRON, bond_length=2.8, experiment=experiment, **more)


def test_scaling_lengths_and_q_together_scales_g():
    one = simulate(_spec(PdfExperiment(q_min=1.0, q_max=20, longest=40)))
    other_experiment = PdfExperiment(q_min=0.5, q_max=10, r_step=0.02, longest=80)
    other = simulate(ParticleSpec(shape=OCTAHEDRON, bond_length=5.6, b_iso=1.2, experiment=other_experiment))
    assert np.abs(other.pdf * 4 - one.pdf * 1).max() < 3e-3 * one.pdf.max()


def test_damping_is_an_envelope():
    plain, damped = (simulate(_spec(PdfExperiment(q_damp=d))) for d in (0.0, 0.04))
    r = PdfExperiment().r
    assert damped.pdf == pytest.approx(plain.pdf * np.exp(-((r * 0.04) ** 2) / 2), abs=1e-4)


def test_noise_and_baseline_have_the_size_that_they_are_given_and_a_seed():
    clean = simulate(_spec(PdfExperiment())).pdf
    noisy = with_noise(clean, 0.05, seed=4)
    assert (noisy - clean).std() == pytest.approx(0.05 * clean.max(), rel=0.05)
    assert np.array_equal(noisy, with_noise(clean, 0.05, seed=4))
    slow = with_baseline(clean, PdfExperiment().r, 0.3, seed=4) - clean
    assert np.abs(slow).max() == pytest.approx(0.3 * clean.max(), rel=1e-4)


def test_many_are_as_one_by_one_in_any_order():
    shapes = [OCTAHEDRON, Shape("Faulted", ("ABCAC", 3, 4)), Shape("Icosahedron", (2,))]
    specs = [
        ParticleSpec(shape=shape, bond_length=b, noise=0.01, seed=7, delta2=delta2)
        for shape in shapes
        for b, delta2 in ((2.5, 0.0), (2.9, 2.0))
    ]
    together = simulate_many(specs[::-1])[::-1]
    for spec, sample in zip(specs, together, strict=True):
        alone = simulate(spec)
        assert sample.pdf == pytest.approx(alone.pdf, abs=1e-5)
        assert np.array_equal(sample.positions, alone.positions)
    assert specs[2].group == "ABCAC"
    assert specs[0].group == "Octahedron(4)"


def test_experiments_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="q_min"):
        PdfExperiment(q_min=30)
    with pytest.raises(ValueError, match="q_damp"):
        PdfExperiment(q_damp=-1)
    with pytest.raises(ValueError, match="values of Q"):
        PdfExperiment().pdf(np.zeros(7))
