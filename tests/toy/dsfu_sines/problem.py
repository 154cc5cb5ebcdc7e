"""The toy problem behind the pipeline's contract: phases are drawn first, sines are made of them."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field as Key

from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.manifest.model import Manifest
from dsfu.pipeline.problem import Problem
from dsfu.pipeline.specs import ShardSpec, digest
from dsfu.settings.section import Section
from dsfu.simulate.random_stream import RandomStream
from dsfu_sines.physics import FIELDS, MOST_POINTS, sine

PER_SHARD = 8
PHASES = Kind(name="phases", noun="phase", words="phases", science=1, make=f"{__name__}:make_phases",
              seconds_per_item=1e-5, bytes_per_item=8)  # fmt: skip
SINES = Kind(name="sines", noun="sine", words="sines", science=1, make=f"{__name__}:make_sines", is_sample=True,
             arrays={"curve": 2}, seconds_per_item=1e-4, bytes_per_item=200)  # fmt: skip


class Samples(Section):
    train: Annotated[int, Key(ge=0)] = 20
    validation: Annotated[int, Key(ge=0)] = 5


class SinesManifest(Manifest):
    problem: Literal["sines"]
    samples: Samples = Samples()


class Plan:
    def __init__(self, settings):
        bank = spec(PHASES, "phases/0", {"seed": settings.seed}, 16)
        self.specs = [bank]
        for split, wanted in settings.samples:
            for first in range(0, wanted, PER_SHARD):
                filled = {"bank": bank.key, "seed": settings.seed, "split": split, "first": first, "wanted": wanted}
                name = f"sines/{split}/{first}"
                self.specs.append(spec(SINES, name, filled, PER_SHARD, needs=(bank.key,), split=split))


def spec(kind, identity, parameters, items, **more):
    inputs = {"settings": digest(parameters), "science": digest(kind.science)}
    return ShardSpec(kind=kind.name, identity=identity, inputs=inputs, parameters=parameters, items=items, **more)


class Sines(Problem[SinesManifest]):
    name, kinds, manifest = "sines", (PHASES, SINES), SinesManifest
    template = "version: 1\nproblem: sines\nname: sines\nseed: 1\nstore: sines\n"

    def fields(self, settings):
        return FIELDS

    def plan(self, loaded):
        return Plan(loaded.manifest)

    def again(self, group, split, index):
        amplitude, phase, points = (group[f"{split}/{name}"][index] for name in ("amplitude", "phase", "points"))
        return {"curve": sine(amplitude, phase, int(points))}


def make_phases(parameters, read, watch):
    return {"phase": np.linspace(0, 2 * np.pi, 16, endpoint=False)}


def make_sines(parameters, read, watch):
    phases, rows = read(parameters["bank"], "phase")["phase"], []
    numbers = parameters["first"] + np.arange(PER_SHARD)
    for number in numbers:
        random = RandomStream(parameters["seed"], "sine", f"{parameters['split']} {number}")
        height, phase = np.float32(random.uniform(0.5, 2)), phases[random.integer(16)]
        rows.append((height, phase, 8 + random.integer(MOST_POINTS - 7)))
    amplitude, phase, points = map(np.array, zip(*rows, strict=True))
    kept = numbers < parameters["wanted"]
    with watch.step("simulate"):
        curve = np.stack([sine(*row) for row in rows])
    return {"amplitude": amplitude, "phase": phase, "points": points.astype(np.int16), "kept": kept, "curve": curve}


PROBLEM = Sines()
