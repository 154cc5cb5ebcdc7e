"""Pictures of random masks: a sheet of them with their shares of live pixels, and how these shares are spread."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dsfu.simulate.disorder.random_masks import DEFAULT_SETTINGS, RandomSettings, random_mask


def draw_masks(path: Path, *, seed: int, count: int = 64, settings: RandomSettings = DEFAULT_SETTINGS) -> None:
    """Write a sheet of ``count`` masks, dead pixels black, as a picture."""
    from matplotlib.figure import Figure

    columns = max(1, round(count**0.5))
    rows = -(-count // columns)
    figure = Figure(figsize=(1.5 * columns, 1.65 * rows), layout="constrained")
    for number, axes in enumerate(np.atleast_1d(figure.subplots(rows, columns)).flat):
        axes.set_axis_off()
        if number >= count:
            continue
        live, description = random_mask((seed, number), settings=settings)
        experiment = description["experiment"]
        axes.imshow(live, cmap="gray", vmin=0, vmax=1, origin="lower", interpolation="nearest")
        axes.add_patch(_frame(live.shape[0]))
        positions = f", {len(experiment['positions'])} positions" if len(experiment["positions"]) > 1 else ""
        turn = f"{experiment['phi_range_deg']:.0f}°"
        axes.set_title(
            f"{experiment['detector']['name']}{positions}\n{turn}, live {live.mean():.2f}", fontsize=5.5, pad=2
        )
    figure.savefig(path, dpi=200)


def draw_live_shares(path: Path, *, seed: int, count: int = 1000, settings: RandomSettings = DEFAULT_SETTINGS) -> None:
    """Write a histogram of the shares of live pixels of ``count`` masks as a picture."""
    from matplotlib.figure import Figure

    shares = [random_mask((seed, number), settings=settings)[0].mean() for number in range(count)]
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.subplots()
    axes.hist(shares, bins=np.linspace(*settings.live_share, 21).tolist(), color="0.4", edgecolor="white")
    axes.set_xlim(settings.live_share)
    axes.set_xlabel("share of live pixels")
    axes.set_ylabel(f"masks out of {count}")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=200)


def _frame(pixels: int) -> object:
    from matplotlib.patches import Rectangle

    return Rectangle((-0.5, -0.5), pixels, pixels, fill=False, linewidth=0.5, edgecolor="0.5")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for masks.png and live_shares.png")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    draw_masks(options.out / "masks.png", seed=options.seed)
    draw_live_shares(options.out / "live_shares.png", seed=options.seed)


if __name__ == "__main__":
    main()
