"""How fast networks train here, against the published recipe written plainly, and how long one plane takes.

    python tests/benchmarks/training.py [--pixels 128] [--batch 4] [--steps 6] [--width 1.0] [--device cpu]

Everything is measured in this run, on the same planes, in turns, so that ratios mean something on a busy machine. The
plain loop is pix2pix as one writes it first: fp32, no channels-last, inputs and outputs from two data loaders that are
zipped, losses read after every step. "data" is what making the same planes takes by itself.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from dsfu.model.networks.build import build
from dsfu.model.problems.disorder.batch import Batch
from dsfu.model.problems.disorder.networks.patchgan import PatchGan
from dsfu.model.problems.disorder.networks.pix2pix import Pix2Pix
from dsfu.model.problems.disorder.networks.scaling import measured_to_unit_range, roots_to_unit_range
from dsfu.model.problems.disorder.problem import LEARNER
from dsfu.model.training.config_file import load_config
from dsfu.model.training.distributed import Ranks
from dsfu.model.training.engine import TrainingEngine
from dsfu.model.training.recipes import recipe_of


def planes_of(count: int, pixels: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    along = torch.linspace(-1, 1, pixels)
    phase = torch.rand(count, 1, 1, 1, generator=generator) * 20 + 5
    form_factor = torch.exp(-3 * (along[:, None] ** 2 + along[None, :] ** 2)).expand(count, 1, pixels, pixels)
    sro = (1 + torch.cos(phase * along[None, :])) / 2 * torch.ones(pixels, 1)
    clean = form_factor * sro
    live = torch.rand(clean.shape, generator=generator) < 0.8
    return Batch(intensity=clean * live, live=live, clean=clean, form_factor=form_factor.contiguous(), sro=sro)


class Planes(Dataset[Any]):
    """One array, plane by plane, as the plain loop reads it."""

    def __init__(self, *arrays: torch.Tensor) -> None:
        self.arrays = arrays

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        return tuple(array[index] for array in self.arrays)


def plain(batch: Batch, size: int, width: float, device: torch.device) -> Iterator[None]:
    """The published training, a step at a time."""
    generators = Pix2Pix(channels_of(width)).to(device).train()
    judges = nn.ModuleList(PatchGan(round(64 * width)) for _ in range(2)).to(device)
    of_generators = torch.optim.Adam(generators.parameters(), 2e-4, (0.5, 0.999))
    of_judges = torch.optim.Adam(judges.parameters(), 2e-4, (0.5, 0.999))
    inputs = Planes(measured_to_unit_range(batch.intensity, batch.live), roots_to_unit_range(batch.clean))
    outputs = Planes(roots_to_unit_range(batch.form_factor), roots_to_unit_range(batch.sro))
    odds = functional.binary_cross_entropy_with_logits
    while True:
        for (seen, clean), truths in zip(DataLoader(inputs, size), DataLoader(outputs, size), strict=True):
            seen, clean, truths = seen.to(device), clean.to(device), [each.to(device) for each in truths]
            made = generators.unit_range(seen)
            for judge, answer, truth in zip(judges, made, truths, strict=True):
                of_judges.zero_grad()
                right, wrong = judge(clean, truth), judge(clean, answer.detach())
                loss = (odds(right, torch.ones_like(right)) + odds(wrong, torch.zeros_like(wrong))) / 2
                loss.backward()
                of_judges.step()
            of_generators.zero_grad()
            parts = []
            for judge, answer, truth in zip(judges, made, truths, strict=True):
                verdict = judge(clean, answer)
                parts.append(odds(verdict, torch.ones_like(verdict)) + 100 * functional.l1_loss(answer, truth))
            torch.stack(parts).sum().backward()
            of_generators.step()
            of_generators.zero_grad()
            one, other = generators.unit_range(seen)
            product = (truths[0] + 1) * (truths[1] + 1) / 4
            loss = functional.smooth_l1_loss((one + 1) * (other + 1) / 4, product)
            loss.backward()
            of_generators.step()
            loss.item()
            yield


def ours(recipe: str, batch: Batch, size: int, width: float, device: torch.device, precision: str) -> Iterator[None]:
    """The same number of planes a step through the trainer's recipes."""
    options = {"pix2pix": [f"network.channels={list(channels_of(width))}"], "dsfu": []}[recipe]
    judges = f"pix2pix.discriminator_channels={round(64 * width)}"
    config = load_config(recipe, None, [*options, judges, f"precision={precision}", f"device={device.type}"])
    trained = recipe_of(config, TrainingEngine(config, device), Ranks(), LEARNER)
    parts = [
        Batch(**{name: value[first : first + size] for name, value in vars(batch).items()}).to(device)
        for first in range(0, len(batch), size)
    ]
    number = 0
    while True:
        for part in parts:
            number += 1
            trained.step(part, 2e-4, number)
            yield


def channels_of(width: float) -> tuple[int, ...]:
    return tuple(round(width * each) for each in (64, 128, 256, 512, 512, 512))


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    began = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def inference(recipe: str, pixels: int, device: torch.device, repeats: int) -> float:
    """Median seconds of one plane, warm."""
    network = build(recipe).to(device).eval()
    batch = planes_of(1, pixels).to(device)
    with torch.inference_mode():
        times = [seconds_of(lambda: network(batch.intensity, batch.live), device) for _ in range(repeats + 1)]
    return median(times[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pixels", type=int, default=128)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6, help="of each, after one to get warm")
    parser.add_argument("--width", type=float, default=1.0, help="of pix2pix's channels, relative to the published")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    batch = planes_of(2 * asked.batch, asked.pixels)
    arguments = (batch, asked.batch, asked.width, device)
    precisions = ["fp32", "bf16"] if device.type == "cuda" else ["fp32"]
    trainings = {"pix2pix, written plainly": plain(*arguments)}
    for recipe in ("pix2pix", "dsfu"):
        trainings |= {f"{recipe}, {precision}": ours(recipe, *arguments, precision) for precision in precisions}
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for _ in range(asked.steps + 1):
        for name, training in trainings.items():
            times[name].append(seconds_of(lambda steps=training: next(steps), device))
    speeds = {name: asked.batch / median(each[1:]) for name, each in times.items()}
    print(f"torch {torch.__version__}, {device.type}, {torch.get_num_threads()} threads")
    print(f"{asked.pixels} × {asked.pixels} pixels, {asked.batch} planes a step, median of {asked.steps} steps\n")
    print(f"{'training':<28}{'samples/s':>12}{'ratio':>8}")
    for name, speed in speeds.items():
        print(f"{name:<28}{speed:>12.2f}{speed / next(iter(speeds.values())):>8.2f}")
    print(f"\n{'one plane, warm':<28}{'seconds':>12}")
    for recipe in ("pix2pix", "dsfu"):
        print(f"{recipe:<28}{inference(recipe, asked.pixels, device, asked.steps):>12.3f}")


if __name__ == "__main__":
    main()
