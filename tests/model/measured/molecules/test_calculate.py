"""Diffuse scattering from α and molecules, against an explicit supercell with gemmi's form factors."""

import json

import gemmi
import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.measured.order.records import read_alpha
from dsfu.model.measured.readers.reading import read
from tests.benchmarks import crystal_maker

BOX = 8
CELL = (6.4, 6.9, 7.2, 90.0, 95.0, 90.0)
A = (("C", (0.3, 0.1, -0.2)), ("N", (1.4, 0.6, 0.3)), ("O", (-0.9, 0.8, 0.4)))
B = (("C", (0.1, -0.2, 0.1)), ("Cl", (1.2, -0.9, 0.7)))


def _molecular_factor(atoms, h):
    """Σ f exp(2πi h·x) at points (n, 3), by gemmi's coefficients and orthogonalisation."""
    cell = gemmi.UnitCell(*CELL)
    total = np.zeros(len(h), complex)
    for name, place in atoms:
        x = cell.fractionalize(gemmi.Position(*place))
        coefficients = gemmi.Element(name).it92
        s2 = np.square(h @ np.array(cell.frac.mat.tolist())).sum(axis=1) / 4
        f = np.array([coefficients.calculate_sf(each) for each in s2])
        total += f * np.exp(2j * np.pi * h @ np.array([x.x, x.y, x.z]))
    return total


@pytest.fixture(scope="module")
def supercell(tmp_path_factory):
    """Its intensity at all points of 1/8, without Bragg peaks, summed over cells one by one; α of just this box."""
    here = tmp_path_factory.mktemp("supercell")
    occupied = (np.random.default_rng(3).uniform(size=(BOX,) * 3) < 0.4).astype(float)
    fraction = float(occupied.mean())
    points = np.stack(np.meshgrid(*(np.arange(n) / BOX for n in (17, 11, 6)), indexing="ij"), -1).reshape(-1, 3)
    cells = np.stack(np.meshgrid(*[np.arange(BOX)] * 3, indexing="ij"), -1).reshape(-1, 3)
    waves = np.exp(2j * np.pi * points @ cells.T)
    fa, fb = _molecular_factor(A, points), _molecular_factor(B, points)
    amplitude = (waves @ occupied.ravel()) * fa + (waves @ (1 - occupied.ravel())) * fb
    intensity = np.abs(amplitude) ** 2 / BOX**3
    bragg = np.abs(points - np.round(points)).max(axis=1) < 1e-9
    deviation = occupied - fraction
    lines = ["u,v,w,alpha"]
    for vector in cells:
        shifted = np.roll(deviation, tuple(-vector), (0, 1, 2))
        lines.append(",".join(map(str, [*vector, float((deviation * shifted).mean() / (fraction * (1 - fraction)))])))
    (here / "alpha.csv").write_text("\n".join(lines) + "\n")
    for name, atoms in (("a", A), ("b", B)):
        text = [str(len(atoms)), "", *(f"{e} {x} {y} {z}" for e, (x, y, z) in atoms), ""]
        (here / f"{name}.xyz").write_text("\n".join(text))
    return here, intensity.reshape(17, 11, 6), bragg.reshape(17, 11, 6), fraction


def test_it_is_the_supercells_own_scattering(supercell):
    here, intensity, bragg, fraction = supercell
    # a CSV line stands for ±v, and the box has each vector once: no vector may be counted twice
    text = (here / "alpha.csv").read_text().splitlines()
    rows = {tuple(map(int, line.split(",")[:3])): float(line.split(",")[3]) for line in text[1:]}
    half = []
    for (u, v, w), value in rows.items():
        mate = ((-u) % BOX, (-v) % BOX, (-w) % BOX)
        if (u, v, w) == mate:
            half.append((u, v, w, value / 2))  # its own mate: ±v are the same cell of the box
        elif (u, v, w) < mate:
            half.append((u, v, w, value))
    lines = ["u,v,w,alpha", *(",".join(map(str, row)) for row in half if any(row[:3]))]
    (here / "half.csv").write_text("\n".join(lines) + "\n")
    words = ["calculate", here / "half.csv", here / "a.xyz", here / "b.xyz", "-o", here / "out.h5", "--step", "0.125"]
    words += ["--limits", "0:2,0:1.25,0:0.625", "--cell", ",".join(map(str, CELL)), "--fraction-a", fraction]
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    found = read(here / "out.h5").intensity
    assert found.shape == intensity.shape
    told = json.loads(CliRunner().invoke(app, [*map(str, words), "--force", "--json"]).stdout)
    assert told["voxels"] == list(found.shape)
    assert told["largest"] == pytest.approx(float(found.max()), rel=1e-5)
    np.testing.assert_allclose(found[~bragg], intensity[~bragg], rtol=2e-3, atol=2e-3 * intensity[~bragg].mean())


def test_content_decides_what_a_table_is(tmp_path):
    shell = {"vector": [1, 0, 0], "length_angstrom": 5.0, "multiplicity": 4, "alpha": 0.2, "uncertainty": 0.01}
    record = {
        "source": "volume",
        "cell": [5, 5, 6, 90, 90, 90],
        "symmetry": "4/m",
        "shells": [{**shell, "together_with": []}],
        "covariance": [[1e-4]],
    }
    misnamed = tmp_path / "table.csv"
    misnamed.write_text(json.dumps({"refinements": [record]}))
    assert read_alpha(misnamed) == {(1, 0, 0): 0.2, (-1, 0, 0): 0.2, (0, 1, 0): 0.2, (0, -1, 0): 0.2}
    record["shells"] = [{**shell, "together_with": [{"vector": [3, 0, 0], "factor": 1.0}]}]
    misnamed.write_text(json.dumps({"refinements": [record]}))
    with pytest.raises(InputError, match="sum"):
        read_alpha(misnamed)


def test_what_is_no_table_is_refused(tmp_path):
    wrong = tmp_path / "alpha.csv"
    wrong.write_text("h,k,l,value\n1,0,0,.2\n")
    with pytest.raises(InputError, match="no column u"):
        read_alpha(wrong)
    wrong.write_text("u,v,w,alpha\n1,0,0,a lot\n")
    with pytest.raises(InputError, match="line 2"):
        read_alpha(wrong)


def test_the_makers_form_factor_agrees():
    """The other program's, on its own grid: B of its molecules is D_w here."""
    from dsfu.model.measured.molecules.calculate import form_factor_on
    from dsfu.simulate.lattice import Cell
    from dsfu.simulate.structures.structure import Structure

    recipe = crystal_maker.recipes()["triclinic"]
    axes = [np.linspace(-n / 10, n / 10, 2 * n + 1, dtype=np.float64) for n in (8, 6, 5)]
    lattice = crystal_maker.direct(recipe.cell)
    h = np.meshgrid(*axes, indexing="ij", sparse=True)
    reciprocal = 2 * np.pi * np.linalg.inv(lattice).T
    length = np.sqrt(sum(sum(h[i] * reciprocal[i, j] for i in range(3)) ** 2 for j in range(3)))
    fa, fb = (crystal_maker.structure_factor(m, lattice, axes, length) for m in (recipe.a, recipe.b))
    structures = tuple(
        Structure(
            numbers=np.array([gemmi.Element(e).atomic_number for e in m.elements]),
            positions=m.xyz,
            occupancies=np.ones(len(m.elements)),
            labels=tuple(f"{e}{i}" for i, e in enumerate(m.elements)),
        )
        for m in (recipe.a, recipe.b)
    )
    found = form_factor_on(axes, Cell(*recipe.cell), (structures[0], structures[1]), 2 * 2.5 / (4 * np.pi) ** 2)
    expected = np.abs(fa - fb) ** 2
    np.testing.assert_allclose(found, expected, atol=3e-3 * expected.mean(), rtol=3e-3)
