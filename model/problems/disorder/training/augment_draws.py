"""What is done to each sample: drawn for every sample on its own, so that it does not depend on the batch."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from dsfu.model.problems.disorder.training.data_config import AugmentConfig
from dsfu.model.training.draws import Draws
from dsfu.simulate.arrays import FloatArray, IntArray

Strain = tuple[float, float, float]

_WHOLE = 1 << 31


@dataclass(frozen=True, kw_only=True)
class Effects:
    """Parameters of all effects for one sample; 0 for those that it does not have.

    Attributes
    ----------
    mask
        Number of the mask, −1 for none.
    mask_turn
        0 to 7: + 1 for x reversed, + 2 for y reversed, + 4 for both exchanged after that.
    strain
        By which share the lattice vectors are longer.
    bragg_seed, noise_seed
        Where the heights of Bragg spots, and the noise, come from.
    """

    mask: int
    mask_turn: int
    debye_waller_u: float
    strain: Strain
    bragg_strength: float
    bragg_width: float
    bragg_seed: int
    blur_sigma: float
    flat_level: float
    radial_level: float
    radial_centre: float
    radial_width: float
    poisson_counts: float
    gaussian_sigma: float
    noise_seed: int


def draw_effects(draws: Draws, config: AugmentConfig, masks: int, stored_mask: int | None = None) -> Effects:
    """Draw the effects for a sample.

    Parameters
    ----------
    masks
        How many there are to draw from.
    stored_mask
        The mask to use instead, as it is.
    """
    is_masked = draws.chance(config.dead_zones)
    drawn_mask = draws.whole(masks) if masks else -1
    mask_turn = draws.whole(8)
    has = {
        name: draws.chance(getattr(config, name))
        for name in ("debye_waller", "strain", "bragg", "blur", "flat", "radial", "poisson", "gaussian")
    }
    return Effects(
        mask=-1 if not is_masked else drawn_mask if stored_mask is None else stored_mask,
        mask_turn=mask_turn if stored_mask is None else 0,
        debye_waller_u=has["debye_waller"] * draws.between(config.debye_waller_u),
        strain=_strain(draws, config, has["strain"]),
        bragg_strength=has["bragg"] * draws.log_between(config.bragg_strength),
        bragg_width=draws.between(config.bragg_width),
        bragg_seed=draws.whole(_WHOLE),
        blur_sigma=has["blur"] * draws.between(config.blur_sigma),
        flat_level=has["flat"] * draws.between(config.flat_level),
        radial_level=has["radial"] * draws.between(config.radial_level),
        radial_centre=draws.between(config.radial_centre),
        radial_width=draws.between(config.radial_width),
        poisson_counts=has["poisson"] * draws.log_between(config.poisson_counts),
        gaussian_sigma=has["gaussian"] * draws.between(config.gaussian_sigma),
        noise_seed=draws.whole(_WHOLE),
    )


def _strain(draws: Draws, config: AugmentConfig, wanted: bool) -> Strain:
    one, two, three = ((1 if draws.chance(0.5) else -1) * draws.between(config.strain_size) for _ in range(3))
    return (one, two, three) if wanted else (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class EffectsOfBatch:
    """The effects of every sample of a batch, one array for each of `Effects`."""

    columns: dict[str, npt.NDArray[np.generic]]

    @classmethod
    def of(cls, effects: list[Effects]) -> "EffectsOfBatch":
        return cls(
            columns={each.name: np.array([getattr(one, each.name) for one in effects]) for each in fields(Effects)}
        )

    def where(self, name: str) -> IntArray:
        """Numbers of the samples that have an effect."""
        values = self.columns[name] != 0
        return np.flatnonzero(values.any(axis=1) if values.ndim > 1 else values)

    def of_samples(self, name: str, samples: IntArray) -> FloatArray:
        return np.asarray(self.columns[name][samples], np.float64)

    def whole(self, name: str) -> IntArray:
        return np.asarray(self.columns[name], np.int64)
