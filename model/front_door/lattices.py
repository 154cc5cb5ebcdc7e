"""The lattice behind a plane that comes without one, at the front door."""

from pathlib import Path
from typing import TYPE_CHECKING

from dsfu.errors import InputError
from dsfu.model.front_door.factors import planes_of
from dsfu.model.front_door.reconstructions import Planes, Volume
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.progress import counting

if TYPE_CHECKING:
    from dsfu.model.measured.factorise.guess import Guess
    from dsfu.model.measured.lattice.found import FoundLattice


def find_lattice(
    source: "Planes | Volume | MeasuredPlane | str | Path", plane: str = "", *, guess: "Guess | None" = None
) -> "FoundLattice":
    """The lattice that one plane shows, whatever cell it came with.

    Parameters
    ----------
    source
        What `prepare` or `read` gave, a plane of it, or a file.
    plane
        Which one, such as "hk0", where the source is a volume or a file.
    guess
        What `dsfu.model.measured.factorise.guess.guess` says of the plane; without, the data alone have to do.
    """
    from dsfu.model.measured.lattice.search import find_lattice as search

    chosen = planes_of(source, plane or ())
    if len(chosen) != 1:
        raise InputError(f"there are {len(chosen)} planes", where="find_lattice", expected="one plane")
    with counting("lattices tried") as tried:
        return search(chosen[0], guess, tried)
