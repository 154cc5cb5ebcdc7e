"""The order of a plane in real space."""

from dsfu.errors import InputError
from dsfu.model.measured.deltapdf.compute import DeltaPdf, DeltaPdfSettings, deltapdf_of_plane
from dsfu.model.measured.order.planes import SroPlane


def deltapdf_of_order(plane: SroPlane, settings: DeltaPdfSettings, where: str) -> DeltaPdf:
    """The 3D-ΔPDF of an I_SRO, brought to a mean of 1 first. ``where`` is what a message names."""
    mean = float(plane.sro[plane.live].mean())
    if not mean > 0:
        raise InputError(f"the mean of I_SRO is {mean:.3g}", where=where, expected="a positive mean")
    return deltapdf_of_plane(plane.sro / mean, plane.live, plane.plane, plane.cell, settings)
