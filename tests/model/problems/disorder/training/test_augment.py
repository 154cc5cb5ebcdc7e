"""Every effect against what it is by its formula, on planes whose scattering vectors come from the simulation."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.forward import PlaneBatch
from dsfu.model.problems.disorder.training.augment import Places, as_measured, blurred, bragg_spots
from dsfu.model.problems.disorder.training.augment_draws import Effects, EffectsOfBatch
from dsfu.simulate.disorder.planes import Plane, layer, plane_through
from dsfu.simulate.lattice import Cell

PIXELS = 64
CELL = Cell(5, 6, 7, 90, 120, 90)
PLANES = [layer(CELL, "b", 1, 7, PIXELS), layer(CELL, "a", 0.5, 6, PIXELS), layer(CELL, "c", 0, 8, PIXELS)]

NONE = Effects(
    mask=-1,
    mask_turn=0,
    debye_waller_u=0.0,
    strain=(0.0, 0.0, 0.0),
    bragg_strength=0.0,
    bragg_width=1.0,
    bragg_seed=5,
    blur_sigma=0.0,
    flat_level=0.0,
    radial_level=0.0,
    radial_centre=1.0,
    radial_width=1.0,
    poisson_counts=0.0,
    gaussian_sigma=0.0,
    noise_seed=7,
)


def places(planes: list[Plane], cell: Cell = CELL) -> Places:
    return Places(planes=PlaneBatch.of(planes), vectors=torch.tensor(cell.vectors).expand(len(planes), 3, 3))


def factors(count: int = 3) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(0)
    smooth = [
        blurred(torch.tensor(rng.random((count, PIXELS, PIXELS)), dtype=torch.float32), torch.full((count,), 2.0))
        for _ in range(2)
    ]
    return 40 * smooth[0], 3 * smooth[1]


def measured(*effects: Effects, planes: list[Plane] = PLANES, live: Tensor | None = None) -> Batch:
    form_factor, sro = factors(len(planes))
    mask = torch.ones(form_factor.shape, dtype=torch.bool) if live is None else live
    every = list(effects) * (len(planes) if len(effects) == 1 else 1)
    return as_measured(form_factor, sro, mask, places(planes), EffectsOfBatch.of(every))


def q_squared(planes: list[Plane] = PLANES) -> np.ndarray:
    return np.stack([np.square(plane.q).sum(-1) for plane in planes])


def added(batch: Batch) -> np.ndarray:
    """What the measurement has more than the clean plane."""
    return np.asarray((batch.intensity - batch.clean)[:, 0])


def means(batch: Batch) -> np.ndarray:
    return np.asarray(batch.clean.mean((1, 2, 3)))[:, None, None]


def test_places_know_q_and_hkl_of_every_pixel():
    oblique = plane_through(CELL, np.array([[0.5, 0, 1], [1, 1, 0.3], [0, 2, 1]]), 5, PIXELS)
    planes = [*PLANES, oblique]
    there = places(planes)
    np.testing.assert_allclose(there.q_squared(), q_squared(planes), atol=1e-4)
    for ours, plane in zip(there.hkl(), planes, strict=True):
        np.testing.assert_allclose(ours.permute(1, 2, 0), plane.hkl(CELL), atol=1e-5)


def test_without_effects_a_plane_is_the_product_of_its_factors():
    live = torch.rand(3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(0)) < 0.7
    batch, (form_factor, sro) = measured(NONE, live=live), factors()
    for got, truth in ((batch.form_factor, form_factor), (batch.sro, sro), (batch.clean, form_factor * sro)):
        assert got.shape == (3, 1, PIXELS, PIXELS)
        torch.testing.assert_close(got[:, 0], truth / truth.amax((1, 2), keepdim=True))
    assert torch.equal(batch.intensity, batch.clean * live[:, None])
    assert torch.equal(batch.live[:, 0], live)


def test_planes_without_intensity_stay_finite():
    zeros, ones = torch.zeros(1, PIXELS, PIXELS), torch.ones(1, PIXELS, PIXELS)
    every = replace(NONE, debye_waller_u=0.01, blur_sigma=1.0, flat_level=0.1, poisson_counts=9.0, gaussian_sigma=0.1)
    batch = as_measured(zeros, ones, ones > 0, places(PLANES[:1]), EffectsOfBatch.of([every]))
    assert all(bool(getattr(batch, each.name).isfinite().all()) for each in fields(Batch))
    assert batch.clean.max() == 0
    assert torch.equal(batch.sro[:, 0], ones)


def test_motion_of_the_atoms_makes_the_form_factor_fall():
    u = 0.03
    plain, moving = measured(NONE), measured(replace(NONE, debye_waller_u=u))
    for name in ("form_factor", "clean", "intensity"):
        expected = np.asarray(getattr(plain, name)[:, 0]) * np.exp(-u * q_squared())
        expected /= expected.max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(getattr(moving, name)[:, 0], expected, atol=1e-6)
    assert torch.equal(moving.sro, plain.sro)


def test_a_flat_background_is_the_same_everywhere():
    batch = measured(replace(NONE, flat_level=0.15))
    np.testing.assert_allclose(added(batch), np.broadcast_to(0.15 * means(batch), added(batch).shape), atol=1e-6)


def test_a_ring_depends_on_the_distance_from_the_origin():
    batch = measured(replace(NONE, radial_level=0.4, radial_centre=2.0, radial_width=0.7))
    expected = 0.4 * means(batch) * np.exp(-((np.sqrt(q_squared()) - 2.0) ** 2) / (2 * 0.7**2))
    np.testing.assert_allclose(added(batch), expected, atol=1e-6)


def test_blur_spreads_a_point_and_keeps_its_sum():
    points = torch.zeros(2, 33, 33)
    points[:, 16, 16] = 5
    sigma = torch.tensor([0.6, 1.3])
    out = blurred(points, sigma).numpy()
    steps = np.arange(-16, 17)
    np.testing.assert_allclose(out.sum((1, 2)), 5, rtol=1e-5)
    for plane, width in zip(out, sigma.tolist(), strict=True):
        profile = np.exp(-(steps**2) / (2 * width**2))
        expected = 5 * np.outer(profile, profile) / profile.sum() ** 2
        np.testing.assert_allclose(plane, expected, atol=2e-3 * expected.max())  # it reaches 3 standard deviations
    flat = torch.full((2, 33, 33), 0.3)
    torch.testing.assert_close(blurred(flat, sigma), flat)


def test_the_truth_is_not_blurred_and_has_no_noise():
    every = replace(
        NONE,
        bragg_strength=1.0,
        blur_sigma=0.8,
        flat_level=0.1,
        radial_level=0.1,
        poisson_counts=50.0,
        gaussian_sigma=0.1,
    )
    plain, batch = measured(NONE), measured(every)
    for name in ("clean", "form_factor", "sro"):
        assert torch.equal(getattr(batch, name), getattr(plain, name))
    assert not torch.equal(batch.intensity, plain.intensity)


def test_counts_have_the_mean_and_variance_of_poisson():
    counts, repeats = 200.0, 30
    form_factor, sro = (each[:1].expand(repeats, -1, -1) for each in factors())
    effects = EffectsOfBatch.of([replace(NONE, poisson_counts=counts, noise_seed=seed) for seed in range(repeats)])
    batch = as_measured(form_factor, sro, torch.ones_like(sro) > 0, places(PLANES[:1] * repeats), effects)
    per_count = batch.clean.mean((1, 2, 3), keepdim=True) / counts
    in_counts, expected = batch.intensity / per_count, (batch.clean / per_count)[0]
    torch.testing.assert_close(in_counts, in_counts.round(), atol=2e-3, rtol=0)
    deviations = (in_counts.mean(0) - expected) / (expected / repeats).sqrt()
    assert float(deviations.square().mean()) == pytest.approx(1, abs=0.08)
    assert float((in_counts.var(0) / expected).mean()) == pytest.approx(1, abs=0.04)


def test_gaussian_noise_has_the_width_that_is_asked_for():
    batch = measured(replace(NONE, gaussian_sigma=0.1))
    noise = added(batch) / means(batch)
    np.testing.assert_allclose(noise.std(axis=(1, 2)), 0.1, rtol=0.05)
    np.testing.assert_allclose(noise.mean(axis=(1, 2)), 0, atol=0.006)


ON_NODES = Cell(2 * np.pi, 2 * np.pi, 2 * np.pi)
"""Reciprocal lattice vectors of 1 1/Å."""


def nodes_plane(offset: float = 0.0) -> Plane:
    """Every eighth pixel is a point of the reciprocal lattice."""
    return layer(ON_NODES, "c", offset, 8.0, 128)


def spots(plane: Plane, strength: float = 2.0, width: float = 0.8, seed: int = 3) -> np.ndarray:
    values = [torch.tensor([each]) for each in (strength, width, seed)]
    return np.asarray(bragg_spots(places([plane], ON_NODES), *values)[0])


def test_bragg_spots_are_at_integer_hkl_and_as_wide_as_asked_for():
    plane, width = nodes_plane(), 0.8
    found = spots(plane, width=width)
    hkl = plane.hkl(ON_NODES)
    distance_in_pixels = np.linalg.norm(hkl - np.rint(hkl), axis=-1) / plane.step
    assert found[distance_in_pixels > 4 * width].max() < 1e-3 * found.max()
    y, x = np.unravel_index(found.argmax(), found.shape)
    assert distance_in_pixels[y, x] < 1e-6
    # The fall with |Q| tilts a spot by some per cent.
    assert found[y, x + 1] / found[y, x] == pytest.approx(np.exp(-1 / (2 * width**2)), rel=0.1)


def test_heights_of_bragg_spots_follow_wilson_and_fall():
    plane, seeds = nodes_plane(), np.random.default_rng(0).integers(1 << 31, size=25).tolist()
    heights = np.concatenate([spots(plane, seed=seed)[::8, ::8].flatten() for seed in seeds])
    fall = np.exp(-0.04 * np.tile(q_squared([plane])[0][::8, ::8].flatten(), 25))
    relative = (heights / (2.0 * fall))[fall < 1]
    assert relative.mean() == pytest.approx(1, abs=0.03)
    assert relative.std() == pytest.approx(1, abs=0.06)
    assert (relative < np.log(2)).mean() == pytest.approx(0.5, abs=0.02)


def test_there_is_no_spot_at_the_origin_nor_between_layers():
    plane = nodes_plane()
    assert spots(plane)[64, 64] == 0
    assert spots(nodes_plane(0.5)).max() < 1e-4  # four standard deviations away
    assert spots(nodes_plane(1.0)).max() > 0.1


def test_a_point_of_the_lattice_is_as_bright_on_every_plane_through_it():
    l_0, h_0 = nodes_plane(), layer(ON_NODES, "a", 0, 8.0, 128)
    # On both planes lie the points 0 k 0: along y of the first, along x of the second.
    np.testing.assert_allclose(spots(l_0)[::8, 64], spots(h_0)[64, ::8], rtol=1e-4, atol=1e-7)
    assert not np.allclose(spots(l_0, seed=4)[::8, 64], spots(l_0)[::8, 64], rtol=0.1)


def test_bragg_spots_are_added_to_what_is_seen():
    effects = replace(NONE, bragg_strength=0.5, bragg_width=0.8)
    batch = measured(effects, planes=PLANES[:1])
    there = bragg_spots(places(PLANES[:1]), torch.tensor([0.5]), torch.tensor([0.8]), torch.tensor([5]))
    np.testing.assert_allclose(added(batch), there, atol=1e-6)


def test_samples_do_not_depend_on_what_else_is_in_the_batch():
    own = [
        replace(NONE, debye_waller_u=0.02, poisson_counts=100.0, bragg_strength=0.3, noise_seed=1),
        replace(NONE, blur_sigma=0.9, gaussian_sigma=0.1, noise_seed=2),
        replace(NONE, radial_level=0.3, flat_level=0.1, poisson_counts=40.0, gaussian_sigma=0.05, noise_seed=3),
    ]
    together, (form_factor, sro) = measured(*own), factors()
    for number, (effects, plane) in enumerate(zip(own, PLANES, strict=True)):
        this = slice(number, number + 1)
        live = torch.ones(1, PIXELS, PIXELS, dtype=torch.bool)
        alone = as_measured(form_factor[this], sro[this], live, places([plane]), EffectsOfBatch.of([effects]))
        for each in fields(Batch):
            assert torch.equal(getattr(alone, each.name)[0], getattr(together, each.name)[number])
