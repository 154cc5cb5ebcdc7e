"""How each kind of shard is made: from its parameters to the bytes of its objects, without touching any storage.

The one place of the pipeline, with the planner, that knows what diffuse scattering is.
"""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from dsfu.pipeline.store.records import MASKS, RECORD, SETS
from dsfu.pipeline.store.shard_format import encode_shard
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

Objects = dict[str, bytes]
SetReader = Callable[[str, int], tuple[float, FloatArray]]
"""From the key of a shard of the bank and a row in it to the set's mole fraction and α."""


class Stopwatch:
    """Seconds spent in each step of the making of a shard."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - start


def make_sro_sets(parameters: Mapping[str, Any], _: SetReader, watch: Stopwatch) -> Objects:
    """Monte Carlo sets number ``first`` … ``first + count − 1`` of a bank."""
    with watch.step("simulate"):
        sets = [
            draw_monte_carlo_set(
                stream_key(parameters["seed"], "sro_set", number),
                fraction_range=_ends(parameters["fraction_a"]),
                target_range=_ends(parameters["targets"]),
                box=parameters["box"],
            )
            for number in range(parameters["first"], parameters["first"] + parameters["count"])
        ]
    return {SETS: archive(**columns_of_sets(sets))}


def make_masks(parameters: Mapping[str, Any], _: SetReader, watch: Stopwatch) -> Objects:
    """Masks number ``first`` … ``first + count − 1``, bit-packed along x."""
    settings = RandomSettings(live_share=_ends(parameters["live_fraction"]))
    with watch.step("simulate"):
        made = [
            random_mask((parameters["seed"], number), settings=settings, pixels=parameters["pixels"])
            for number in range(parameters["first"], parameters["first"] + parameters["count"])
        ]
    live = np.stack([mask for mask, _ in made])
    descriptions = [json.dumps(description, sort_keys=True) for _, description in made]
    return {
        MASKS: archive(
            bits=np.packbits(live, axis=-1),
            live_fraction=live.mean(axis=(1, 2)).astype(np.float32),
            description=np.array([text.encode() for text in descriptions]),
        )
    }


def make_planes(parameters: Mapping[str, Any], read_set: SetReader, watch: Stopwatch) -> Objects:
    """All planes of a molecule pair, first those of its sets from the bank, then those of its own oscillator sets."""
    with watch.step("read sets"):
        bank = [read_set(key, row) for key, row in parameters["bank_rows"]]
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
    record = archive(
        **samples.fields,
        embedding=samples.embedding,
        set_source=(samples.set_number >= len(bank)).astype(np.int8),
        set_index=numbers[samples.set_number],
        **{f"own_{name}": values for name, values in columns_of_sets(own).items()},
    )
    if not parameters["materialise"]:
        return {RECORD: record}
    with watch.step("compress"):
        return {"form_factor": encode_shard(samples.form_factor), "sro": encode_shard(samples.sro), RECORD: record}


Maker = Callable[[Mapping[str, Any], SetReader, Stopwatch], Objects]

MAKERS: Final[Mapping[str, Maker]] = {"sro_sets": make_sro_sets, "masks": make_masks, "planes": make_planes}


def archive(**arrays: npt.NDArray[Any]) -> bytes:
    """An .npz of arrays, uncompressed, and the same bytes whenever the arrays are the same."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


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
