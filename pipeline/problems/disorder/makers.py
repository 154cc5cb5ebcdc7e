"""How each kind of shard of disorder is made: from its parameters to its arrays, without touching any storage."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms

from dsfu.pipeline.making import Arrays, ReadNeeded, Stopwatch
from dsfu.pipeline.problems.disorder.own_masks import masks_again
from dsfu.pipeline.problems.disorder.records import SETS
from dsfu.simulate.arrays import FloatArray
from dsfu.simulate.disorder.metropolis import draw_monte_carlo_set
from dsfu.simulate.disorder.oscillator import draw_oscillator_set
from dsfu.simulate.disorder.plane_rules import PlaneRules
from dsfu.simulate.disorder.random_masks import RandomSettings, random_mask
from dsfu.simulate.disorder.samples import SetChoice, simulate_pair
from dsfu.simulate.disorder.sro_set import SroSet
from dsfu.simulate.disorder.uniqueness import embed_plane
from dsfu.simulate.lattice import Cell
from dsfu.simulate.random_stream import RandomStream, stream_key


def make_sro_sets(parameters: Mapping[str, Any], _: ReadNeeded, watch: Stopwatch) -> Arrays:
    """Monte Carlo sets number ``first`` … ``first + count − 1`` of a bank."""
    with watch.step("simulate"):
        sets = [
            draw_monte_carlo_set(
                stream_key(parameters["seed"], "sro_set", number),
                fraction_range=_ends(parameters["fraction_a"]),
                target_range=_ends(parameters["targets"]),
                box=parameters["box"],
                equilibrium=parameters.get("equilibrium", False),
            )
            for number in range(parameters["first"], parameters["first"] + parameters["count"])
        ]
    return columns_of_sets(sets)


def make_masks(parameters: Mapping[str, Any], _: ReadNeeded, watch: Stopwatch) -> Arrays:
    """Masks number ``first`` … ``first + count − 1``, bit-packed along x."""
    numbers = range(parameters["first"], parameters["first"] + parameters["count"])
    if "sha256" in parameters:
        live = masks_again(parameters)
        told = [{"sha256": parameters["sha256"], "mask of the file": number} for number in numbers]
    else:
        settings = RandomSettings(live_share=_ends(parameters["live_fraction"]))
        with watch.step("simulate"):
            made = [
                random_mask((parameters["seed"], number), settings=settings, pixels=parameters["pixels"])
                for number in numbers
            ]
        live, told = np.stack([mask for mask, _ in made]), [description for _, description in made]
    descriptions = [json.dumps(description, sort_keys=True) for description in told]
    return {
        "bits": np.packbits(live, axis=-1),
        "live_fraction": live.mean(axis=(1, 2)).astype(np.float32),
        "description": np.array([text.encode() for text in descriptions]),
    }


def make_planes(parameters: Mapping[str, Any], read: ReadNeeded, watch: Stopwatch) -> Arrays:
    """All planes of a molecule pair, first those of its sets from the bank, then those of its own oscillator sets."""
    with watch.step("read sets"):
        bank = [
            _set_of_bank(read(key, "fraction_a", "alpha", record=SETS), row) for key, row in parameters["bank_rows"]
        ]
    own = _oscillator_sets(parameters)
    choices = [SetChoice(kind="monte_carlo", fraction_a=fraction, alpha=alpha) for fraction, alpha in bank]
    choices += [SetChoice(kind="oscillator", fraction_a=each.fraction_a, alpha=_as_stored(each.alpha)) for each in own]
    samples = simulate_pair(
        *_species(parameters["species_a"]),
        *_species(parameters["species_b"]),
        choices,
        q_max_range=_ends(parameters["q_max"]),
        rules=_rules(parameters["rules"]),
        embed=lambda intensity: embed_plane(intensity, parameters["metric"]),
        random=RandomStream(parameters["seed"], "planes", parameters["stream"]),
        step=watch.step,
    )
    numbers = np.array([*parameters["bank_numbers"], *range(len(own))], np.int32)
    planes = {"form_factor": samples.form_factor, "sro": samples.sro} if parameters["materialise"] else {}
    return {
        **planes,
        **samples.fields,
        "embedding": samples.embedding,
        "set_source": (samples.set_number >= len(bank)).astype(np.int8),
        "set_index": numbers[samples.set_number],
        **{f"own_{name}": values for name, values in columns_of_sets(own).items()},
    }


def _set_of_bank(columns: Arrays, row: int) -> tuple[float, FloatArray]:
    return float(columns["fraction_a"][row]), columns["alpha"][row].astype(np.float64)


def columns_of_sets(sets: Sequence[SroSet]) -> dict[str, npt.NDArray[Any]]:
    """One array for each thing that is kept of a set, first axis sets. α goes from double to single precision."""
    if not sets:
        return {}
    names = sorted({name for each in sets for name in each.parameters})
    columns: dict[str, npt.NDArray[Any]] = {
        "alpha": np.stack([each.alpha for each in sets]).astype(np.float32),
        "standard_error": np.stack([each.standard_error for each in sets]).astype(np.float32),
        "fraction_a": np.array([each.fraction_a for each in sets]),
        "kind": np.array([each.kind.encode() for each in sets]),
        "seed": np.array([each.seed for each in sets], np.uint64),
    }
    return columns | {name: np.array([each.parameters.get(name, np.nan) for each in sets]) for name in names}


def _oscillator_sets(parameters: Mapping[str, Any]) -> list[SroSet]:
    settings = parameters["oscillator"]
    return [
        draw_oscillator_set(
            stream_key(parameters["seed"], "oscillator", parameters["stream"], number),
            settings["lattice"],
            amplitude=_ends(settings["amplitude"]),
            decay=_ends(settings["decay"]),
            frequency=_ends(settings["frequency"]),
            most_clipped=settings["most_clipped"],
        )
        for number in range(settings["count"])
    ]


def _as_stored(alpha: FloatArray) -> FloatArray:
    """α after the rounding of storage, so that planes can be computed again from the store to the last bit."""
    return alpha.astype(np.float32).astype(np.float64)


def _species(values: Mapping[str, Any]) -> tuple[Atoms, Cell]:
    return Atoms(numbers=values["numbers"], positions=np.reshape(values["positions"], (-1, 3))), Cell(*values["cell"])


def _rules(values: Mapping[str, Any]) -> PlaneRules:
    return PlaneRules(**{**values, "oscillator_layers": tuple(values["oscillator_layers"])})


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = values
    return low, high
