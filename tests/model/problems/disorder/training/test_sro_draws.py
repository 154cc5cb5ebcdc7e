from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest

from dsfu.model.problems.disorder.data.store_parameters import Rules, StoreParameters
from dsfu.model.problems.disorder.training.data_config import SynthesisConfig
from dsfu.model.problems.disorder.training.sro_draws import (
    SroDraws,
    fresh_oscillator,
    is_hexagonal,
    no_order,
    oscillator_alpha,
    permuted,
)
from dsfu.model.training.draws import SAMPLE, Draws
from dsfu.simulate.arrays import Float32Array
from dsfu.simulate.disorder import oscillator
from dsfu.simulate.disorder.planes import layer
from dsfu.simulate.disorder.scattering import sro_of_planes
from dsfu.simulate.lattice import Cell
from tests.model.training.stores import library_store, train
from tests.pipeline.fake_store import single_precision_alpha

HEXAGONAL, RODS = 3, 1


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> StoreParameters:
    return StoreParameters(train(library_store(tmp_path_factory.mktemp("draws") / "store", materialise=False)))


@pytest.mark.parametrize(("lattice", "hexagonal"), [("hexagonal", True), ("tetragonal", False), ("cubic", False)])
def test_oscillations_are_those_of_the_simulation(lattice: oscillator.Lattice, hexagonal: bool):
    for amplitude, decay, frequency in ((0.7, 0.3, 1.1), (1.2, 1.0, 1.9), (-0.5, 0.2, 0.4)):
        its = oscillator.oscillator_alpha(lattice, amplitude, decay, frequency)
        np.testing.assert_allclose(oscillator_alpha(hexagonal, amplitude, decay, frequency), its, atol=1e-15)


@pytest.mark.parametrize("hexagonal", [True, False])
def test_fresh_oscillations_are_ones_that_a_crystal_can_have(hexagonal: bool):
    drawn = [fresh_oscillator(Draws(0, SAMPLE, number), hexagonal, Rules()) for number in range(40)]
    for alpha in drawn:
        assert np.abs(alpha).max() == alpha[5, 5, 5] == 1
        assert oscillator.clipped_share(alpha.astype(np.float64)) <= 0.3
        assert np.count_nonzero(alpha.sum(axis=(0, 2))) == 1
    assert len({float(alpha[6, 5, 5]) for alpha in drawn}) == 40


def test_rules_that_no_crystal_fits_are_named():
    with pytest.raises(ValueError, match="amplitude=\\(5"):
        fresh_oscillator(Draws(0, SAMPLE, 0), True, Rules(amplitude=(5.0, 6.0), decay=(0.0, 0.0), frequency=(0.0, 0.0)))


def axes_exchanged(alpha: Float32Array) -> set[bytes]:
    """All 48 ways to name and direct the axes."""
    return {
        np.ascontiguousarray(np.flip(alpha.transpose(order), tuple(i for i in range(3) if signs[i] < 0))).tobytes()
        for order in permutations(range(3))
        for signs in product((1, -1), repeat=3)
    }


def test_permuted_sets_are_the_set_with_other_names_of_its_axes():
    alpha = single_precision_alpha(0).astype(np.float32)
    images = axes_exchanged(alpha)
    assert len(images) == 24  # inversion changes nothing
    drawn = {permuted(alpha, Draws(0, SAMPLE, number)).tobytes() for number in range(300)}
    assert drawn == images


def test_a_permuted_set_scatters_as_the_set_on_permuted_axes():
    alpha = single_precision_alpha(1)
    exchanged = np.ascontiguousarray(alpha.transpose(1, 0, 2))
    one, other = Cell(4, 6, 5), Cell(6, 4, 5)
    ((values, _),) = sro_of_planes(one, alpha, [layer(one, "c", 1, 6, 16)])
    ((turned, _),) = sro_of_planes(other, exchanged, [layer(other, "c", 1, 6, 16)])
    np.testing.assert_allclose(turned, values.T, atol=1e-5 * values.max())


def kinds(parameters: StoreParameters, config: SynthesisConfig, group: int, count: int = 400) -> Counter[str]:
    draws = SroDraws(parameters, config)
    known = {alpha.tobytes() for alpha in parameters.sets.alpha}
    found: Counter[str] = Counter()
    for number in range(count):
        drawn = draws.draw(Draws(1, SAMPLE, number), group)
        if np.array_equal(drawn.alpha, no_order()):
            found["none"] += 1
        elif drawn.layered:
            assert drawn.fraction_a == 0.5
            found["stored oscillator" if drawn.alpha.tobytes() in known else "fresh oscillator"] += 1
        else:
            found["stored" if drawn.alpha.tobytes() in known else "permuted"] += 1
    return found


def test_kinds_come_in_the_shares_that_are_asked_for(parameters: StoreParameters):
    config = SynthesisConfig(no_order=0.1, oscillators=0.5, fresh_oscillators=0.5, permuted=0.5)
    found = kinds(parameters, config, RODS)
    assert found["none"] == pytest.approx(40, abs=18)
    for kind in ("stored oscillator", "fresh oscillator"):
        assert found[kind] == pytest.approx(90, abs=27)
    assert found["stored"] + found["permuted"] == pytest.approx(180, abs=36)
    assert found["permuted"] == pytest.approx(90, abs=27)


def test_what_is_off_does_not_come(parameters: StoreParameters):
    off = SynthesisConfig(no_order=0, oscillators=0, permuted=0)
    assert set(kinds(parameters, off, RODS, 50)) == {"stored"}
    without = off.model_copy(update={"no_order": 1})
    stored = off.model_copy(update={"oscillators": 1, "fresh_oscillators": 0})
    assert set(kinds(parameters, without, RODS, 20)) == {"none"}
    assert set(kinds(parameters, stored, RODS, 20)) == {"stored oscillator"}


def test_stored_oscillations_are_those_of_the_same_lattice(parameters: StoreParameters):
    config = SynthesisConfig(no_order=0, oscillators=1, fresh_oscillators=0)
    groups = np.array([each.group for each in parameters.species])[parameters.split.coordinates["species_a"]]
    places = parameters.sets.place(parameters.split.coordinates["sro_set"])
    draws = SroDraws(parameters, config)
    for hexagonal, group in ((True, HEXAGONAL), (False, RODS)):
        rows = np.isin(groups, [number for number in range(5) if is_hexagonal(number) == hexagonal])
        allowed = {
            parameters.sets.alpha[place].tobytes() for place in places[rows & parameters.sets.is_oscillator[places]]
        }
        drawn = {draws.draw(Draws(3, SAMPLE, number), group).alpha.tobytes() for number in range(60)}
        assert drawn == allowed


def test_without_order_the_scattering_is_that_of_the_form_factor():
    cell = Cell(5, 6, 7)
    ((values, _),) = sro_of_planes(cell, no_order(), [layer(cell, "a", 0.3, 7, 16)])
    np.testing.assert_allclose(values, 1)
