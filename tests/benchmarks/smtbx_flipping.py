"""Charge flipping of one file of reflections, in a Python that has cctbx; `phases_charge_flipping.py` calls it."""

import itertools
import json
import random
import time
from pathlib import Path
from typing import Any

import numpy as np

ATTEMPTS = 5
PER_D = 3


def main(source: str, target: str) -> None:
    """Read hkl, I, σ, cell and group; write maps of measured moduli with the phases found."""
    from cctbx import crystal, miller
    from cctbx.array_family import flex
    from smtbx.ab_initio import charge_flipping

    data: dict[str, Any] = json.loads(Path(source).read_text())
    symmetry = crystal.symmetry(unit_cell=data["cell"], space_group_symbol=data["group"])
    which = miller.set(symmetry, flex.miller_index([tuple(h) for h in data["hkl"]]), anomalous_flag=False)
    table = miller.array(which, flex.double(data["intensity"]), flex.double(data["sigma"]))
    merged = table.set_observation_type_xray_intensity().merge_equivalents().array()
    size = np.sqrt(np.maximum(merged.data().as_numpy_array(), 0))
    amplitude = merged.customized_copy(data=flex.double(size), sigmas=None).set_observation_type_xray_amplitude()
    random.seed(1)
    flex.set_random_seed(1)
    whole_stops()
    began = time.process_time()
    flipping = charge_flipping.weak_reflection_improved_iterator(delta=None)
    solving = charge_flipping.solving_iterator(
        flipping,
        amplitude,
        normalisations_for=normalised,
        max_attempts_to_get_phase_transition=ATTEMPTS,
    )
    charge_flipping.loop(solving, verbose=False)
    seconds = time.process_time() - began
    solutions = [each[0] for each in solving.f_calc_solutions]
    maps = [with_moduli(each, amplitude) for each in solutions or [flipping.f_calc]]
    np.savez(target, solved=bool(solutions), seconds=seconds, **{f"map{i}": each for i, each in enumerate(maps)})


def normalised(amplitude: Any) -> Any:
    """Of quasi-normalised amplitudes, in shells of some 50."""
    amplitude.setup_binner(n_bins=max(2, len(amplitude.indices()) // 50))
    return amplitude.amplitude_quasi_normalisations()


def whole_stops() -> None:
    """smtbx gives itertools.islice a float, which Python refuses."""
    original = itertools.islice
    vars(itertools)["islice"] = lambda rows, *ends: original(rows, *(e if e is None else int(e) for e in ends))


def with_moduli(phases: Any, amplitude: Any) -> Any:
    """The map of measured moduli with some phases, whole cell."""
    amplitude, phases = amplitude.expand_to_p1().common_sets(phases.expand_to_p1())
    grid = amplitude.phase_transfer(phases).fft_map(resolution_factor=1 / PER_D)
    return grid.real_map_unpadded().as_numpy_array()
