"""Planes of one crystal taken apart into form factor and order, at the front door."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from dsfu.errors import InputError
from dsfu.model.front_door.answer import Answer, Drawing, free_file
from dsfu.model.front_door.given import names_of, settings_of, was_given
from dsfu.model.front_door.reconstructions import Planes, Volume, prepare
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.progress import Tell, counting, waiting

if TYPE_CHECKING:
    import xarray

    from dsfu.model.measured.factorise.factors import CrystalFactors as PlaneFactorsOfACrystal
    from dsfu.model.measured.factorise.factors import Method
    from dsfu.model.measured.factorise.methods import Network
    from dsfu.model.measured.lattice.found import FoundLattice
    from dsfu.model.measured.solver.settings import SolverSettings

Lattice = Literal["given", "find", "check", "none"]

_PLANES: Final = "planes that dsfu.prepare gave, a Volume of dsfu.read, or the path of a file"


class Factors(Answer):
    """Form factor and short-range order of planes of one crystal. ``data`` is of `factorise.factors.CrystalFactors`.

    ``lattice`` is the one that was found, where it was looked for and seen.
    """

    data: "PlaneFactorsOfACrystal"

    def __init__(self, data: "PlaneFactorsOfACrystal", lattice: "FoundLattice | None" = None) -> None:
        self.data = data
        self.lattice = lattice

    @property
    def verdict(self) -> str:
        return self.data.verdict.sentence

    @property
    def passed(self) -> bool:
        """Whether no check speaks against the factors."""
        return self.data.verdict.passed

    def facts(self) -> Mapping[str, str]:
        names = ", ".join(each.name.partition(" of ")[0] for each in self.data.planes)
        misfit = max(each.misfit for each in self.data.planes)
        return {
            "planes": names,
            "method": self.data.method,
            "misfit": f"misfit {100 * misfit:.2f} % at most",
            "checks": "checks passed" if self.passed else "CHECKS FAILED",
        }

    def plot(self, plane: int = 1) -> Drawing:
        """Observed, model, difference, both factors and their uncertainties, of one plane."""
        from dsfu.model.measured.factorise.pictures import plane_figure

        if not 1 <= plane <= len(self.data.planes):
            raise InputError(f"plane is {plane}", expected=f"1 to {len(self.data.planes)}")
        return Drawing.of(plane_figure(self.data.planes[plane - 1]))

    def to_xarray(self) -> "xarray.Dataset":
        """Observed, both factors, model, what is from data, and uncertainties, over plane, y and x."""
        planes = self.data.planes
        dataset = Planes([each.measured for each in planes]).to_xarray()
        dims = ("plane", "y", "x")
        for name in ("form_factor", "sro", "model", "from_data", "sigma_form_factor", "sigma_sro"):
            values = [getattr(each, name) for each in planes]
            if all(each is not None for each in values):
                dataset[name] = (dims, np.stack(values))
        return dataset.assign_attrs(method=self.data.method, verdict=self.verdict)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """As ``dsfu-model factorise`` does: HDF5; .npz for plain arrays; .html for a report."""
        from dsfu.model.measured.factorise.files import write_factors, write_npz
        from dsfu.model.measured.factorise.report import write_report

        path = free_file(path, overwrite=overwrite)
        write = {".npz": write_npz, ".html": write_report}.get(path.suffix.lower(), write_factors)
        write(path, self.data)
        return path


def factorise(
    source: "Planes | Volume | Sequence[MeasuredPlane] | str | Path",
    planes: str | Sequence[str] = (),
    *,
    method: "Method" = "hybrid",
    lattice: Lattice | None = None,
    weights: str | Path | None = None,
    hints: Mapping[str, Any] = MappingProxyType({}),
    tell: Tell = lambda text: None,
    **settings: Any,
) -> Factors:
    """Take planes apart into form factor and short-range order.

    Parameters
    ----------
    source
        What `prepare` or `read` gave, or a file.
    planes
        Which ones, such as "hk0", where the source is a volume or a file.
    method
        "solver" needs the lattice, "network" none, "hybrid" is both.
    lattice
        "given": the cell's; "find": found from the data, for one plane; "check": the cell's, compared with what the
        data show; "none": a network's answer as it is. None: given, or find where there is no cell.
    weights
        Of the network; those shipped, if none are given.
    hints
        What a file does not say, as for `read`.
    tell
        Is given a sentence of what is found on the way.
    settings
        Of the solver: ``cutoff``, ``background``, ``stretch``, ``uncertainty`` …
    """
    from dsfu.model.measured.factorise.loading import check_one_crystal
    from dsfu.model.measured.factorise.methods import factorise as take_apart
    from dsfu.model.measured.factorise.verdict import judge
    from dsfu.model.measured.solver.settings import SolverSettings

    chosen_settings = settings_of(SolverSettings, {"uncertainty": True, **settings}, "factorise")
    network = _network_for(method, lattice, weights)
    chosen = planes_of(source, planes, hints)
    where = Path(source if isinstance(source, str | Path) else chosen[0].source)
    coming = f"{len(chosen)} plane{'s' if len(chosen) > 1 else ''}: {_names(chosen)}"
    has_cells = all(each.cell is not None for each in chosen)
    _tell_of_centres(chosen, tell)
    if lattice == "find" or (lattice is None and not has_cells and method != "network"):
        tell(coming)
        return _on_found_lattice(chosen, method, network, chosen_settings, where, tell)
    if method != "network":
        check_one_crystal(chosen, where)
    tell(coming)
    if lattice == "check":
        _compare_lattices(chosen, network, tell)
    more: Any = {"network": network, "settings": chosen_settings, "judge": judge, "on_lattice": lattice != "none"}
    with waiting(f"factorise, {method}"):
        return Factors(take_apart(chosen, method, **more))


def _network_for(method: "Method", lattice: Lattice | None, weights: str | Path | None) -> "Network | None":
    """The network that a method takes; None for the solver, which takes none."""
    from dsfu.model.measured.factorise.factors import METHODS
    from dsfu.model.measured.factorise.methods import load_network

    if method not in METHODS:
        raise InputError(f"method {method!r}", where="factorise", expected=" or ".join(METHODS))
    if lattice == "none" and method != "network":
        raise InputError(f"the method {method} needs a lattice", where="--lattice none", expected="--method network")
    return None if method == "solver" else load_network(Path(weights) if weights else None)


def planes_of(
    source: "Planes | Volume | MeasuredPlane | Sequence[MeasuredPlane] | str | Path",
    wanted: str | Sequence[str] = (),
    hints: Mapping[str, Any] = MappingProxyType({}),
) -> list[MeasuredPlane]:
    """The planes behind anything that stands for them; which ones, where it is a volume or a file."""
    from dsfu.model.measured.factorise.loading import load_planes

    names = names_of(wanted, "planes")
    if isinstance(source, str | Path):
        return load_planes(Path(source), names, **hints)
    if isinstance(source, Volume):
        return prepare(source, names).data
    if isinstance(source, Planes):
        return list(source.data)
    several = [source] if isinstance(source, MeasuredPlane) else source
    if not isinstance(several, Sequence) or not all(isinstance(each, MeasuredPlane) for each in several):
        raise was_given(source, _PLANES)
    if not several:
        raise InputError("there is no plane in it", expected=_PLANES)
    return list(several)


def _tell_of_centres(planes: list[MeasuredPlane], tell: Tell) -> None:
    """Of images whose Q = 0 was not in the middle."""
    from dsfu.model.measured.prepare.centring import CENTRED

    for plane in planes:
        for step in plane.history if plane.cell is None else ():
            if step.name == CENTRED:
                off = ", ".join(f"{each:+.2f}" for each in step.parameters["was_at_hkl"] if each)
                tell(f"Q = 0 is put {off} voxels from the middle of the image, where its Friedel pairs agree best")


def _on_found_lattice(
    planes: list[MeasuredPlane],
    method: "Method",
    network: "Network | None",
    settings: "SolverSettings",
    where: Path,
    tell: Tell,
) -> Factors:
    """Factors of a plane whose lattice is to be found."""
    from dsfu.model.measured.factorise.blind import factorise_blind
    from dsfu.model.measured.factorise.verdict import judge

    if len(planes) > 1:
        raise InputError(
            f"there are {len(planes)} planes: {_names(planes)}",
            where=str(where),
            expected="one plane where the lattice is to be found",
            remedy="choose with --plane, or give the cell",
        )
    with counting("lattices tried") as tried:
        factors, found = factorise_blind(
            planes[0], network, method=method, settings=settings, judge=judge, progress=tried
        )
    if found is None:
        tell("no lattice is seen: the network's answer stands")
    else:
        tell(f"found         {found.words}")
        if found.voxels_per_q is not None:
            tell("              the image does not say its scale: all that is in Å is made up")
        if factors.method == "network" and not factors.settings:
            tell("              it does not fit, and the network's order is another: the network's answer stands")
    return Factors(factors, found)


def _names(planes: Sequence[MeasuredPlane]) -> str:
    return ", ".join(each.name.partition(" of ")[0] for each in planes)


def _compare_lattices(planes: list[MeasuredPlane], network: "Network | None", tell: Tell) -> None:
    from dsfu.model.measured.factorise.blind import better_lattice

    for plane in planes:
        with counting("lattices tried") as tried:
            better, given = better_lattice(plane, network, tried)
        if better is not None:
            tell(f"{plane.name}: the data show another lattice than the one given: {better.words}")
            tell(f"  structured misfit {given.misfit:.4f} with the one given, {better.misfit:.4f} with this one")
        elif given.is_off:
            tell(f"{plane.name}: the lattice given fits better if it is changed: {given.words}")
            tell("  --stretch changes its lengths in the fit; or mend the cell, or the scale of Q")
        else:
            tell(f"{plane.name}: the data show no other lattice than the one given")
