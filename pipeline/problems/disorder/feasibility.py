"""Whether what a manifest draws at random can be drawn at all: a few trial draws, before a cluster makes thousands."""

from collections.abc import Iterator
from typing import Final

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problems.disorder.settings.manifest import DisorderManifest
from dsfu.simulate.species import SPLITS

_TRIALS: Final = 3
_MOST_ATTEMPTS: Final = 100
"""Draws for one mask that are worth their time."""

_TRIAL_PIXELS: Final = 32
"""The share of a plane that is dead hardly depends on how finely it is looked at."""


def check_feasible(loaded: LoadedManifest[DisorderManifest]) -> None:
    """Try targets, oscillator sets and masks as the manifest has them; takes under a second, also if none can be made.

    Raises
    ------
    InputError
        With the keys whose ranges leave nothing to draw.
    """
    problems = [*_problems_of_targets(loaded), *_problems_of_oscillator(loaded), *_problems_of_masks(loaded)]
    if problems:
        raise InputError.together(problems, where=loaded.source)


def _problems_of_targets(loaded: LoadedManifest[DisorderManifest]) -> Iterator[InputError]:
    """Targets above what a box can have would be lowered to what it can, and so leave their range."""
    from dsfu.simulate.disorder.feasibility import InfeasibleTargetsError, feasible_targets  # late, as it loads numba

    settings = loaded.manifest.sro.monte_carlo
    low, high = settings.fraction_a
    least = settings.targets[0]
    if not settings.bank_size or least <= 0:
        return
    try:
        feasible_targets(low if low <= 1 - high else high, (least,) * 3, settings.box)
    except InfeasibleTargetsError as error:
        yield loaded.problem(
            *("sro", "monte_carlo", "targets"),
            what=f"domains of such order are too large for a box of {settings.box}³ sites",
            expected=f"a lower end of at most {max(error.nearest):.2g}, where the rarer species is rarest",
            remedy="lower it, narrow fraction_a towards 0.5, or enlarge box",
        )


def _problems_of_oscillator(loaded: LoadedManifest[DisorderManifest]) -> Iterator[InputError]:
    from dsfu.simulate.disorder.oscillator import draw_oscillator_set  # late, as it loads numba

    manifest, settings = loaded.manifest, loaded.manifest.sro.oscillator
    if not any(manifest.oscillator_sets(split) for split in SPLITS):
        return
    try:
        for lattice in ("cubic", "hexagonal"):
            for trial in range(_TRIALS):
                draw_oscillator_set(
                    trial,
                    lattice,
                    amplitude=settings.amplitude,
                    decay=settings.decay,
                    frequency=settings.frequency,
                    most_clipped=settings.most_clipped,
                )
    except ValueError:
        yield loaded.problem(
            *("sro", "oscillator"),
            what="of thousands of draws, none is a set that a crystal can have",
            expected=f"|A exp(−d x) cos(ω x)| ≤ 1, and I_SRO negative on at most {settings.most_clipped:g} of the zone",
            remedy="lower amplitude, raise decay, or raise most_clipped",
        )


def _problems_of_masks(loaded: LoadedManifest[DisorderManifest]) -> Iterator[InputError]:
    from dsfu.simulate.disorder.random_masks import RandomSettings, random_mask  # late, as it loads numba

    zones = loaded.manifest.dead_zones
    if not zones.bank_size or zones.file is not None:
        return
    settings = RandomSettings(live_share=zones.live_fraction)
    try:
        masks = [random_mask(trial, settings=settings, pixels=_TRIAL_PIXELS) for trial in range(_TRIALS)]
    except ValueError:
        rare = True
    else:
        rare = sum(description["attempts"] for _, description in masks) > _TRIALS * _MOST_ATTEMPTS
    if rare:
        low, high = zones.live_fraction
        yield loaded.problem(
            *("dead_zones", "live_fraction"),
            what=f"hardly a mask leaves a share of live pixels from {low:g} to {high:g}",
            expected="a range within which experiments often are; most leave 0.25 to 0.9",
        )
