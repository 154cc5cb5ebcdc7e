"""Numbers that many use, each with its one home. Light: no imports but typing."""

from typing import Final

TUBES: Final = {"cu": 1.5418, "mo": 0.71073, "co": 1.7903, "fe": 1.9373, "cr": 2.2910, "ag": 0.5609}
"""Wavelengths of X-ray tubes in Å, the mean of the Kα doublet, by the symbol of the anode."""

MO_KALPHA: Final = TUBES["mo"]
"""Å; pymatgen's "MoKa", as in the published patterns."""

SIGMA_PER_MAD: Final = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
