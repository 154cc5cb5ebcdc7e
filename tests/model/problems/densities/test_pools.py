"""A user's own crystals as structure types: CSV of CIFs as Materials Project's users have them, folders, bad files."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.model.problems.densities.pools import likeness, read_pool, together
from dsfu.model.problems.densities.powder import PowderPattern
from dsfu.model.problems.densities.solve import solve
from dsfu.simulate.densities.crystals import from_cif
from dsfu.simulate.densities.profiles import Instrument, measured_pattern, with_background
from dsfu.simulate.densities.structure_types import shipped_types

CRYSTALS = Path("/work/shared/data/crystals")


def cif(elements: tuple[str, str], a: float, sites: tuple[str, ...]) -> str:
    atoms = "\n".join(f"A{n} {elements[n // (len(sites) // 2)]} {site}" for n, site in enumerate(sites))
    cell = "\n".join(f"_cell_length_{each} {a}\n_cell_angle_{angle} 90" for each, angle in
                     zip("abc", ("alpha", "beta", "gamma"), strict=True))  # fmt: skip
    loop = (
        "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    )
    return f"data_x\n{cell}\n{loop}{atoms}\n"


ROCK_SALT = ("0 0 0", "0 .5 .5", ".5 0 .5", ".5 .5 0", ".5 .5 .5", ".5 0 0", "0 .5 0", "0 0 .5")
CAESIUM = ("0 0 0", ".5 .5 .5")


def pool_csv(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["material_id", "pretty_formula", "cif"])
        writer.writerow(["mp-1", "MgO", cif(("Mg", "O"), 4.21, ROCK_SALT)])
        writer.writerow(["mp-2", "KCl", cif(("K", "Cl"), 6.29, ROCK_SALT)])
        writer.writerow(["mp-3", "CsCl", cif(("Cs", "Cl"), 4.12, CAESIUM)])
        writer.writerow(["mp-4", "broken", "data_x\n_cell_length_a 3\n"])
    return path


def test_a_csv_of_cifs_gives_one_of_each_type(tmp_path: Path) -> None:
    pool = read_pool(pool_csv(tmp_path / "pool.csv"), parse_formula("NaCl"))
    assert pool.crystals == 3
    assert [(kind.name, kind.number) for kind in pool.kinds] == [("mp-1", 225), ("mp-3", 221)]
    assert "1 of 4" in pool.notes[0]
    assert "mp-4" in pool.notes[0]
    assert read_pool(tmp_path / "pool.csv", parse_formula("CaF2")).kinds == ()


def test_folders_and_gzip_are_read_and_what_is_shipped_is_not_taken_twice(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "halite.cif.gz").write_bytes(gzip.compress(cif(("Na", "Cl"), 5.64, ROCK_SALT).encode()))
    own = read_pool(tmp_path, parse_formula("Na-Cl")).kinds
    assert [kind.number for kind in own] == [225]
    assert len(together(shipped_types(), own)) == len(shipped_types())


def test_only_a_pool_solves_what_is_in_no_library(tmp_path: Path) -> None:
    """A pattern with background and noise; the only type offered is the user's."""
    angles = np.arange(20, 110, 0.03)
    crystal = from_cif(cif(("Na", "Cl"), 5.64, ROCK_SALT))
    clean = measured_pattern(crystal, angles, Instrument(zero=0.03))
    counts = with_background(clean, angles, np.random.default_rng(1), counts=4000, level=0.1, hump=0.05)
    pattern = PowderPattern(two_theta=angles, counts=counts, wavelength=1.5406)
    own = read_pool(pool_csv(tmp_path / "pool.csv"), parse_formula("NaCl")).kinds
    answer = solve(pattern, parse_formula("NaCl"), kinds=own)
    assert answer.verdict == "solved"
    assert answer.candidates[0].kind.name == "mp-1"
    assert answer.candidates[0].kind.cell[0] == pytest.approx(5.64, rel=1e-3)
    without = solve(pattern, parse_formula("NaCl"), kinds=own[1:])
    assert without.verdict != "solved"


@pytest.mark.parametrize("name", ["none.csv", "text.csv", "binary.csv", "empty"])
def test_bad_pools_are_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.csv").write_text("a,b\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError):
        read_pool(tmp_path / name, parse_formula("NaCl"))


@pytest.mark.skipif(not CRYSTALS.is_dir(), reason="no public crystals here")
def test_a_public_file_of_computed_crystals() -> None:
    pool = read_pool(CRYSTALS / "mp_20_test_part.csv.gz", parse_formula("NaCl"))
    assert pool.crystals == 142
    assert len({likeness(kind) for kind in pool.kinds}) == len(pool.kinds) > 3
