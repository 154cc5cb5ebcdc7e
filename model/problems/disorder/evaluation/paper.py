"""What the DSFU-Net paper reports of its network, to set ours beside it."""

from dataclasses import dataclass
from typing import Final, Literal

Factor = Literal["sro", "form_factor"]

SYMBOLS: Final[dict[Factor, str]] = {"sro": "I_SRO", "form_factor": "I_FF"}


@dataclass(frozen=True, kw_only=True)
class PaperFigures:
    """Figures of one factor on the paper's validation planes.

    Attributes
    ----------
    mse
        Mean over the planes.
    percentile_90
        What 90 % of the planes stay below.
    noise_mse, noise_fid, noise_kid
        Uniform noise against the truth.
    """

    mse: float
    percentile_90: float
    fid: float
    kid: float
    noise_mse: float
    noise_fid: float
    noise_kid: float


PAPER: Final[dict[Factor, PaperFigures]] = {
    "sro": PaperFigures(
        mse=0.015, percentile_90=0.032, fid=13.1, kid=0.003, noise_mse=0.951, noise_fid=372, noise_kid=0.741
    ),
    "form_factor": PaperFigures(
        mse=0.006, percentile_90=0.014, fid=36.9, kid=0.008, noise_mse=1.00, noise_fid=464, noise_kid=0.761
    ),
}

SCALE_NOTE: Final = (
    "The paper does not say on which scale it measured. Its noise baseline is what linear planes give, so the "
    "comparison is made on the linear scale; the square-root scale, which shows weak features, stands beside it."
)
