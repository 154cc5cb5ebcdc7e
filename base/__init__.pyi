"""What type checkers see of the front door, whose functions are loaded when they are asked for."""

from dsfu.errors import InputError as InputError
from dsfu.model.front_door.analysis import analyse as analyse
from dsfu.model.front_door.density import solve_density as solve_density
from dsfu.model.front_door.factors import factorise as factorise
from dsfu.model.front_door.lattices import find_lattice as find_lattice
from dsfu.model.front_door.molecules import refine_molecules as refine_molecules
from dsfu.model.front_door.order import refine_sro as refine_sro
from dsfu.model.front_door.particle import solve_particle as solve_particle
from dsfu.model.front_door.phases import solve_phases as solve_phases
from dsfu.model.front_door.real_space import delta_pdf as delta_pdf
from dsfu.model.front_door.reconstructions import prepare as prepare
from dsfu.model.front_door.reconstructions import read as read
from dsfu.model.front_door.stores import open_store as open_store
from dsfu.model.measured.factorise.methods import load_network as load_network
from dsfu.simulate.disorder.scattering import simulate_plane as simulate_plane
from dsfu.simulate.own_species import read_species as read_species
from dsfu.simulate.species import load_library as load_library
from dsfu.simulate.structures.files import read_structure as read_structure

__version__: str
__all__: list[str]
