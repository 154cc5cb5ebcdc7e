"""Samples of diffuse scattering as they are stored, in physical units, and as a network sees them."""

from dataclasses import dataclass

import numpy as np

from dsfu.model.problems.disorder.data.normalise import Scale, normalise_own_roots
from dsfu.model.problems.disorder.data.plane_reader import CodeArray
from dsfu.simulate.arrays import BoolArray, Float32Array
from dsfu.simulate.disorder.encoding import decode_plane


@dataclass(frozen=True, kw_only=True, eq=False)
class IntensityPlanes:
    """Physical intensities (..., y, x): I_FF in electrons² per unit cell, I_SRO without a unit."""

    form_factor: Float32Array
    sro: Float32Array

    @property
    def intensity(self) -> Float32Array:
        """I_D, the product of the two."""
        return self.form_factor * self.sro


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """What a network is trained on, (..., y, x): float32 from −1 to +1, and the mask, True where live."""

    scattering: Float32Array
    form_factor: Float32Array
    sro: Float32Array
    mask: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class StoredPlanes:
    """Planes as they are stored: √I / √(max I) · 65535 (..., y, x), and max I (...)."""

    form_factor: CodeArray
    sro: CodeArray
    form_factor_scale: Float32Array
    sro_scale: Float32Array

    def plane(self, number: int) -> "StoredPlanes":
        """One plane of a stack."""
        return StoredPlanes(
            form_factor=self.form_factor[number],
            sro=self.sro[number],
            form_factor_scale=self.form_factor_scale[number],
            sro_scale=self.sro_scale[number],
        )

    def physical(self) -> IntensityPlanes:
        return IntensityPlanes(
            form_factor=decode_plane(self.form_factor, self.form_factor_scale),
            sro=decode_plane(self.sro, self.sro_scale),
        )

    def sample(self, live: BoolArray, scale: Scale = "sqrt") -> Sample:
        """Normalise; the scales drop out, and roots are what is stored."""
        form_factor, sro = self.form_factor.astype(np.float32), self.sro.astype(np.float32)
        return Sample(
            scattering=normalise_own_roots(form_factor * sro, scale, live),  # first: the others change their planes
            form_factor=normalise_own_roots(form_factor, scale),
            sro=normalise_own_roots(sro, scale),
            mask=live,
        )
