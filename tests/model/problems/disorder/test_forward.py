import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.model.problems.disorder.forward import Atoms, PlaneBatch, form_factor, short_range_order
from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.disorder.scattering import simulate_plane, sro_of_planes
from dsfu.simulate.lattice import Cell, vegard_cell
from dsfu.simulate.species import Species, load_library, pairs

CELL = Cell(7.1, 4.2, 6.3, 90, 120, 90)


def random_alpha(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    alpha = rng.normal(scale=0.05, size=(11, 11, 11))
    alpha = (alpha + alpha[::-1, ::-1, ::-1]) / 2
    alpha[5, 5, 5] = 1
    return alpha


def batch_of(crystals: list[tuple[Species, Species]]) -> Atoms:
    most = max(len(one.atoms) + len(other.atoms) for one, other in crystals)
    positions, numbers, signs = (
        np.zeros((len(crystals), most, 3)),
        np.zeros((len(crystals), most), int),
        np.zeros((len(crystals), most)),
    )
    for i, (one, other) in enumerate(crystals):
        n = len(one.atoms) + len(other.atoms)
        positions[i, :n] = np.concatenate([one.atoms.positions, other.atoms.positions])
        numbers[i, :n] = np.concatenate([one.atoms.numbers, other.atoms.numbers])
        signs[i, :n] = np.repeat([1, -1], [len(one.atoms), len(other.atoms)])
    return Atoms(positions=torch.tensor(positions), numbers=torch.tensor(numbers), signs=torch.tensor(signs))


def some_planes(cell: Cell, pixels: int = 32) -> list[Plane]:
    return [
        layer(cell, "b", 0, 6.5, pixels),
        layer(cell, "b", 2.5, 7, pixels),
        layer(cell, "a", 1, 8, pixels),
        layer(cell, "c", 3, 6, pixels),
    ]


def every_pair() -> list[tuple[Species, Species]]:
    library = load_library()
    return [pair for split in ("train", "validation") for pair in pairs(library, split)]


@pytest.mark.slow
def test_equals_the_kernels_for_every_pair_of_the_library():
    crystals = every_pair()
    assert len(crystals) == 1147
    alpha = random_alpha(0)
    for first in range(0, len(crystals), 64):
        some = crystals[first : first + 64]
        cells = [vegard_cell(one.cell, other.cell, 0.3) for one, other in some]
        planes = [some_planes(cell)[i % 4] for i, cell in enumerate(cells)]
        truth = [
            simulate_plane(one.atoms, other.atoms, 0.3, cell, alpha, plane)
            for (one, other), cell, plane in zip(some, cells, planes, strict=True)
        ]
        batch = PlaneBatch.of(planes)
        ours = form_factor(batch_of(some), torch.full((len(some),), 0.21), batch).numpy()
        order = short_range_order(
            torch.tensor(alpha).expand(len(some), -1, -1, -1), torch.tensor(np.array([c.vectors for c in cells])), batch
        ).numpy()
        for mine, my_order, its in zip(ours, order, truth, strict=True):
            np.testing.assert_allclose(mine, its.form_factor, atol=1e-5 * its.form_factor.max())
            np.testing.assert_allclose(my_order, its.sro, atol=1e-5 * its.sro.max())


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_planes_in_any_orientation(seed: int):
    rng = np.random.default_rng(seed)
    alpha = random_alpha(seed)
    planes = [plane_through(CELL, rng.normal(size=(3, 3)), rng.uniform(3, 8), 24) for _ in range(3)]
    ours = short_range_order(
        torch.tensor(alpha).expand(3, -1, -1, -1), torch.tensor(CELL.vectors).expand(3, -1, -1), PlaneBatch.of(planes)
    )
    for mine, (its, _) in zip(ours.numpy(), sro_of_planes(CELL, alpha, planes), strict=True):
        np.testing.assert_allclose(mine, its, atol=1e-5 * its.max())


def test_layers_mixed_with_other_planes_give_the_same_as_alone():
    alpha, vectors = torch.tensor(random_alpha(1)), torch.tensor(CELL.vectors)
    through = plane_through(CELL, np.array([[0, 0, 0], [1, 0.3, 0], [0, 1, 0.2]]), 5, 24)
    planes = [*some_planes(CELL, 24), through]
    mixed = short_range_order(
        alpha.expand(5, -1, -1, -1), vectors.expand(5, -1, -1), PlaneBatch.of(planes), dtype=torch.float64
    )
    for number, plane in enumerate(planes):
        alone = short_range_order(alpha[None], vectors[None], PlaneBatch.of([plane]), dtype=torch.float64)
        torch.testing.assert_close(mixed[number], alone[0], rtol=0, atol=1e-9)


def test_what_is_negative_is_clipped_unless_asked_for():
    alpha, vectors = torch.tensor(random_alpha(2))[None], torch.tensor(CELL.vectors)[None]
    planes = PlaneBatch.of(some_planes(CELL, 24)[:1])
    whole = short_range_order(alpha, vectors, planes, clip=False)
    assert whole.min() < 0
    torch.testing.assert_close(short_range_order(alpha, vectors, planes), whole.clamp(min=0))


def test_species_that_nearly_cancel_keep_their_digits():
    benzene = load_library()["benzene"]
    moved = benzene.atoms.copy()
    moved.positions += [0, 0, 1e-3]
    n = len(benzene.atoms)
    atoms = Atoms(
        positions=torch.tensor(np.concatenate([benzene.atoms.positions, moved.positions]))[None],
        numbers=torch.tensor(np.tile(benzene.atoms.numbers, 2))[None],
        signs=torch.tensor(np.repeat([1.0, -1.0], n))[None],
    )
    plane = layer(CELL, "b", 1, 7, 32)
    truth = simulate_plane(benzene.atoms, moved, 0.5, CELL, random_alpha(0), plane).form_factor
    ours = form_factor(atoms, torch.tensor([0.25]), PlaneBatch.of([plane])).numpy()[0]
    np.testing.assert_allclose(ours, truth, atol=1e-5 * truth.max())


def test_both_factors_can_be_differentiated():
    library = load_library()
    atoms = batch_of(pairs(library, "validation")[20:21])
    planes = PlaneBatch.of([layer(CELL, "b", 0.5, 5, 6)])
    positions = atoms.positions[:, :3].clone().requires_grad_()
    few = Atoms(positions=positions, numbers=atoms.numbers[:, :3], signs=atoms.signs[:, :3])
    weight = torch.tensor([0.25])

    def of_positions(where: torch.Tensor) -> torch.Tensor:
        moved = Atoms(positions=where, numbers=few.numbers, signs=few.signs)
        return form_factor(moved, weight, planes, torch.float64)

    assert torch.autograd.gradcheck(of_positions, (positions,))
    alpha = torch.tensor(random_alpha(3))[None].requires_grad_()
    vectors = torch.tensor(CELL.vectors)[None].requires_grad_()
    order = short_range_order(alpha, vectors, planes, clip=False, dtype=torch.float64)
    by_alpha, by_vectors = torch.autograd.grad(order[0, 2, 3], (alpha, vectors))
    step = 1e-6
    shifted = alpha.detach().clone()
    shifted[0, 6, 5, 4] += step
    shifted[0, 4, 5, 6] += step
    there = short_range_order(shifted, vectors.detach(), planes, clip=False, dtype=torch.float64)[0, 2, 3]
    slope = by_alpha[0, 6, 5, 4] + by_alpha[0, 4, 5, 6]
    assert float((there - order.detach()[0, 2, 3]) / step) == pytest.approx(float(slope), rel=1e-4)
    assert by_vectors.abs().max() > 0


def test_planes_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="one size"):
        PlaneBatch.of([layer(CELL, "b", 0, 6, 16), layer(CELL, "b", 0, 6, 32)])
