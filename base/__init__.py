"""Local structure from scattering: training sets at cluster scale, networks, and their use on measured data.

The front door: the functions that most people need, by one name each. They are loaded when they are first asked for, so
``import dsfu`` costs nothing.
"""

from importlib import import_module
from typing import Any, Final

_DOORS: Final = {
    "analyse": "dsfu.model.front_door.analysis",
    "delta_pdf": "dsfu.model.front_door.real_space",
    "factorise": "dsfu.model.front_door.factors",
    "find_lattice": "dsfu.model.front_door.lattices",
    "load_library": "dsfu.simulate.species",
    "load_network": "dsfu.model.measured.factorise.methods",
    "open_store": "dsfu.model.front_door.stores",
    "prepare": "dsfu.model.front_door.reconstructions",
    "read": "dsfu.model.front_door.reconstructions",
    "read_species": "dsfu.simulate.own_species",
    "read_structure": "dsfu.simulate.structures.files",
    "refine_molecules": "dsfu.model.front_door.molecules",
    "refine_sro": "dsfu.model.front_door.order",
    "simulate_plane": "dsfu.simulate.disorder.scattering",
    "solve_density": "dsfu.model.front_door.density",
    "solve_particle": "dsfu.model.front_door.particle",
    "solve_phases": "dsfu.model.front_door.phases",
    "InputError": "dsfu.errors",
}
"""Where each function of the front door is at home, and the error that they raise for bad input."""

__all__ = ["__version__", *_DOORS]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("dsfu")
    if name in _DOORS:
        return getattr(import_module(_DOORS[name]), name)
    from dsfu.errors import did_you_mean

    raise AttributeError(
        f"module 'dsfu' has no attribute {name!r}; its functions are {', '.join(_DOORS)}" + did_you_mean(name, _DOORS)
    )


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
