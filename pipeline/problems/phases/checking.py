"""Whether what a manifest of the phase problem asks for can be made."""

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problems.phases.crystals import GIVEN, given_crystals, order_of, packable
from dsfu.pipeline.problems.phases.settings import PhasesManifest


def check_possible(loaded: LoadedManifest[PhasesManifest]) -> None:
    """Raise InputError where no crystal can come of what is asked for."""
    crystals = loaded.manifest.crystals
    if crystals.source in GIVEN:
        try:
            given_crystals(loaded)
        except InputError:
            raise
        except ValueError as error:
            raise loaded.problem("crystals", "file", what=str(error)) from error
        return
    if crystals.source == "random":
        return
    for number, symbol in enumerate(crystals.space_groups):
        if not order_of(symbol):
            raise loaded.problem(
                "crystals", "space_groups", number, what=f"{symbol} is no space group", expected="such as P 1 21/c 1"
            )
    most = crystals.atoms[1]
    if crystals.source == "molecules" and not packable(crystals.atoms, crystals.groups):
        raise loaded.problem(
            "crystals",
            "atoms",
            what=f"no molecule makes a cell of {crystals.atoms[0]} to {most} atoms in {', '.join(crystals.groups)}",
            expected="a range that holds the operations of a group times the atoms of a molecule, such as [20, 60]",
        )
    large = [symbol for symbol in crystals.groups if order_of(symbol) > most]
    if crystals.source == "symmetric" and large:
        raise loaded.problem(
            "crystals",
            "atoms",
            what=f"at most {most} atoms, but a general position of {large[0]} has {order_of(large[0])}",
            expected=f"{max(map(order_of, crystals.groups))} or more, or space_groups of fewer operations",
        )
