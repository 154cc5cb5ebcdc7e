"""The network beside `solve-particle`, in numpy as in torch, and what it disagrees on."""

from types import SimpleNamespace

import numpy as np
import torch

from dsfu.model.problems.particles.learning.batch import FAMILIES
from dsfu.model.problems.particles.learning.recipe_reader import ReaderRecipe
from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.second_opinion import READER_FILE, _read, second_opinion
from dsfu.model.problems.particles.shape_table import load_table
from dsfu.model.problems.particles.solving import solve_particle
from dsfu.model.weights.files import load_weights
from dsfu.simulate.particles.shapes import positions_of
from tests.model.problems.particles.test_editing import debye_pdf


def test_numpy_gives_what_torch_gives():
    network, _ = load_weights(READER_FILE)
    pdf = np.random.default_rng(3).standard_normal(560).cumsum()
    batch = SimpleNamespace(pdf=torch.tensor(pdf[None], dtype=torch.float32))
    with torch.inference_mode():
        theirs = ReaderRecipe.answer(network, batch)  # type: ignore[arg-type]
    chances, middle, half = _read(pdf)
    np.testing.assert_allclose(chances, theirs.chances[0], atol=1e-4)
    np.testing.assert_allclose(middle, theirs.mean[0], atol=1e-4)
    np.testing.assert_allclose(middle + half, theirs.high[0], atol=1e-4)
    assert len(chances) == len(FAMILIES)


def test_it_agrees_on_a_particle_and_disagrees_with_another():
    positions = positions_of("Icosahedron", (4,))
    r, g = debye_pdf(positions * 2.7)
    measured = MeasuredPdf(r=r, g=g, q_min=0.7, q_max=25.0, q_damp=0.0)
    table = load_table()
    solution = solve_particle(measured, table=table.without(range(260, len(table))))
    opinion = second_opinion(solution.space)
    assert opinion is not None
    best = solution.candidates[0]
    assert opinion.family == best.family == "Icosahedron"
    assert opinion.bond_length[1] == np.clip(opinion.bond_length[1], 2.66, 2.74)
    assert not [each for each in opinion.against(best) if each.startswith("family")]
    other = next(each for each in solution.candidates if each.family == "HCP")
    assert opinion.against(other)[0] == "family: Icosahedron for HCP"


def test_data_that_are_too_short_are_not_read():
    r, g = debye_pdf(positions_of("Octahedron", (3,)) * 2.7)
    short = MeasuredPdf(r=r[:2000], g=g[:2000], q_min=0.7, q_max=25.0, q_damp=0.0)
    table = load_table()
    assert second_opinion(solve_particle(short, table=table.without(range(197, len(table)))).space) is None
