"""refine-sro and deltapdf as they are typed."""

import json
from dataclasses import replace

import gemmi
import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.measured.data.plane import MeasuredPlane
from dsfu.model.measured.factorise.factors import Check, CrystalFactors, PlaneFactors, Verdict
from dsfu.model.measured.factorise.files import read_factors, write_factors
from dsfu.model.measured.factorise.methods import factorise as crystal_factors
from dsfu.model.measured.prepare.cutting import cut
from dsfu.model.measured.solver.settings import SolverSettings
from tests.benchmarks.crystal_maker import CLEAN, CUTOFF, make, recipes, write_yell
from tests.benchmarks.crystals import reconstruction_of
from tests.benchmarks.tba import ALPHA as PAPER_ALPHA
from tests.model.measured.order.cases import exact, hexagonal_layer, lattice_gas, noise

RUNNER = CliRunner()


def run(*arguments):
    result = RUNNER.invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def arrays(**changes):
    cell, plane, sro, form_factor, live = hexagonal_layer()
    sro = sro + 0.1 * noise(np.random.default_rng(0), sro.shape) / np.sqrt(form_factor)
    given = {
        "sro": sro,
        "form_factor": form_factor,
        "live": live,
        "q_max": plane.q_max,
        "axis_x": plane.axis_x,
        "axis_y": plane.axis_y,
        "centre": plane.centre,
        "cell": np.array(cell.constants),
        **changes,
    }
    return {name: values for name, values in given.items() if values is not None}


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "hk1.npz"
    np.savez(path, **arrays())
    return path


@pytest.fixture
def factors(tmp_path):
    cell, plane, sro, form_factor, live = hexagonal_layer()
    measured = MeasuredPlane(
        intensity=np.where(live, sro * form_factor, 0), live=live, plane=plane, cell=cell, name="hk1"
    )
    one = PlaneFactors(
        measured=measured,
        form_factor=form_factor.astype(np.float32),
        sro=np.maximum(sro, 0).astype(np.float32),
        background=0.0,
        sigma_form_factor=None,
        sigma_sro=None,
        from_data=live,
        misfit=0.0,
    )
    vectors = np.array([[u, v, 0] for u, v in PAPER_ALPHA])
    found = CrystalFactors(
        planes=(one,),
        method="solver",
        verdict=Verdict(checks=()),
        alpha_vectors=vectors,
        alpha=np.array(list(PAPER_ALPHA.values())),
        alpha_covariance=np.eye(15) * 1e-6,
    )
    path = tmp_path / "factors.h5"
    write_factors(path, found)
    return path


def test_refining_from_arrays_writes_all_that_is_asked_for(npz, tmp_path):
    out = tmp_path / "out"
    result = run("refine-sro", npz, "--laue", "6/m", "--no-order-along", "c", "-o", out)
    assert result.exit_code == 0, result.output
    assert "α from I_SRO" in result.output
    assert {path.name for path in out.iterdir()} == {f"hk1-sro.{kind}" for kind in ("csv", "json", "cif", "png")}
    record = json.loads((out / "hk1-sro.json").read_text(encoding="utf-8"))["refinements"][0]
    for shell in record["shells"]:
        assert abs(shell["alpha"] - PAPER_ALPHA[tuple(shell["vector"][:2])]) < 4 * shell["uncertainty"]
    assert len(gemmi.cif.read(str(out / "hk1-sro.cif"))) == 1
    assert (out / "hk1-sro.png").read_bytes().startswith(b"\x89PNG")


def test_refining_what_factorise_wrote_shows_the_solvers_parameters_too(factors, tmp_path):
    out = tmp_path / "table.json"
    result = run("refine-sro", factors, "--laue", "6/m", "--no-order-along", "c", "--json-file", out)
    assert result.exit_code == 0, result.output
    assert "α from the solver" in result.output
    first, second = json.loads(out.read_text(encoding="utf-8"))["refinements"]
    assert [each["source"] for each in (first, second)] == ["I_SRO", "solver"]
    for one, other in zip(first["shells"], second["shells"], strict=True):
        assert one["vector"] == other["vector"]
        assert one["alpha"] == pytest.approx(other["alpha"], abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": None}, 'it has no "cell"'),
        ({"sro": np.ones((4, 5))}, '"sro" has the shape'),
        ({"axis_x": np.ones(2)}, '"axis_x" has the shape'),
        ({"sro": np.ones((128, 128)) * 1j}, '"sro" is of type complex'),
        ({"sro": np.full((128, 128), np.nan)}, "no pixel of plane 1 is live"),
        ({"sro": np.zeros((128, 128))}, "mean of I_SRO"),
        ({"axis_y": np.array([1.0, 0.0, 0.0])}, "unit vectors"),
        ({"cell": np.array([1.0, 1.0, 1.0, 10.0, 10.0, 120.0])}, "no volume"),
        ({"live": np.zeros((3, 3), bool)}, '"live" has the shape'),
    ],
)
def test_broken_arrays_are_told(tmp_path, changes, message):
    path = tmp_path / "broken.npz"
    np.savez(path, **arrays(**changes))
    with pytest.raises(InputError, match=message):
        run("refine-sro", path, "--no-order-along", "c")


def test_other_files_and_options_are_told(npz, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("I_SRO")
    for arguments, message in (
        ((tmp_path / "none.npz",), "no such file"),
        ((other,), "not a file with I_SRO"),
        ((npz, "--laue", "m-3m"), "does not have this symmetry"),
        ((npz, "--fraction-a", "1.5"), "--fraction-a is 1.5"),
        ((npz, "--picture", "alpha.gif"), "suffix '.gif'"),
        ((npz, "--cutoff", "90"), "shorter cutoff"),
    ):
        with pytest.raises(InputError, match=message):
            run("refine-sro", *arguments)


def volume(path, **changes):
    axis = np.linspace(-1, 1, 25)
    hkl = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    alpha = lattice_gas()[3:8, 3:8, 3:8]
    given = {
        "data": exact(alpha, hkl).astype(np.float32),
        "format": b"Yell 1.0",
        "is_direct": False,
        "lower_limits": [-1.0, -1.0, -1.0],
        "step_sizes": [1 / 12] * 3,
        "unit_cell": [5.0, 6.0, 7.0, 90.0, 90.0, 90.0],
        "metric_tensor": np.diag([25.0, 36.0, 49.0]),
        **changes,
    }
    with h5py.File(path, "w") as file:
        for name, values in given.items():
            file[name] = values
    return alpha


def test_the_pdf_of_a_series_has_alpha_at_lattice_vectors(tmp_path):
    alpha = volume(tmp_path / "crystal.h5")
    out, picture = tmp_path / "pdf.h5", tmp_path / "pictures" / "pdf.png"
    result = run("deltapdf", tmp_path / "crystal.h5", "-o", out, "--keep-mean", "--picture", picture)
    assert result.exit_code == 0, result.output
    assert picture.exists()
    with h5py.File(out) as file:
        first = np.rint(-file["lower_limits"][:] / file["step_sizes"][:]).astype(int)
        per_cell = np.rint(1 / file["step_sizes"][:]).astype(int)
        for u, v, w in ((0, 0, 0), (1, 0, 0), (0, 1, -1)):
            found = file["data"][tuple(first + per_cell * (u, v, w))]
            assert found == pytest.approx(alpha[u + 2, v + 2, w + 2], abs=1e-5)
    with pytest.raises(InputError, match="is_direct is true"):
        run("deltapdf", out, "-o", tmp_path / "again.h5")


def test_the_pdf_of_short_range_order(npz, tmp_path):
    out = tmp_path / "pdf.h5"
    assert run("deltapdf", npz, "--of", "sro", "-o", out, "--window", "hann").exit_code == 0
    with h5py.File(out) as file:
        middle = np.array(file["data"].shape) // 2
        assert file["data"][tuple(np.add(middle, (12, 0, 0)))] == pytest.approx(-0.2516, abs=0.05)
    with pytest.raises(InputError, match="--plane is 2"):
        run("deltapdf", npz, "--of", "sro", "--plane", "2", "-o", out, "--force")
    with pytest.raises(InputError, match="--cell cannot be given with --of sro"):
        run("deltapdf", npz, "--of", "sro", "--cell", "5,5,5,90,90,90", "-o", out, "--force")


@pytest.fixture
def contradicted(factors, tmp_path):
    """The same factors with a verdict against them."""
    bad = Check(name="rings", value=1.0, limit=0.1, passed=False, meaning="something depends on |Q| alone")
    path = tmp_path / "bad.h5"
    write_factors(path, replace(read_factors(factors), verdict=Verdict(checks=(bad,))))
    return path


def test_what_is_made_of_a_bad_fit_says_so_everywhere(contradicted, tmp_path):
    out = tmp_path / "out"
    found = run("refine-sro", contradicted, "--no-order-along", "c", "-o", out, "--json")
    assert found.exit_code == 3
    assert "DO NOT RELY" in json.loads(found.stdout)["verdict"]
    assert [each.get("recommended") for each in json.loads(found.stdout)["refinements"]] == [True, False]
    for kind in ("json", "cif"):
        assert "DO NOT RELY" in (out / f"bad-sro.{kind}").read_text()
    table = run("refine-sro", contradicted, "--no-order-along", "c")
    assert table.exit_code == 3
    assert "DO NOT RELY" in table.stdout
    assert "(use this)" in table.stdout
    pdf = run("deltapdf", contradicted, "--of", "sro", "-o", tmp_path / "pdf.h5")
    assert pdf.exit_code == 3
    assert "DO NOT RELY" in pdf.stderr
    with h5py.File(tmp_path / "pdf.h5") as file:
        assert "DO NOT RELY" in file.attrs["verdict"]


def test_bragg_peaks_of_raw_data_are_warned_of_and_taken_out(tmp_path):
    """Without them the map is that of the same crystal without peaks; with them it is something else."""
    maps = {}
    for name, bragg in (("clean", 0.0), ("raw", 300.0)):
        wrongs = replace(CLEAN, counts=250.0, bragg=bragg)
        volume = make(recipes()["orthorhombic"], (28, 28, 28), wrongs, ideal=True, seed=4)
        write_yell(tmp_path / f"{name}.h5", volume)
    for name, file, options in (("clean", "clean", []), ("raw", "raw", []), ("auto", "raw", ["--bragg", "auto"])):
        found = run("deltapdf", tmp_path / f"{file}.h5", "-o", tmp_path / f"{name}-pdf.h5", *options)
        assert found.exit_code == 0, found.output
        assert ("WARNING" in found.stderr) == (name == "raw")
        with h5py.File(tmp_path / f"{name}-pdf.h5") as opened:
            maps[name] = opened["data"][()].ravel()
    assert np.corrcoef(maps["raw"], maps["clean"])[0, 1] < 0.5
    assert np.corrcoef(maps["auto"], maps["clean"])[0, 1] > 0.8


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Six parallel layers of a crystal of the independent simulation, factorised, and its molecules."""
    here = tmp_path_factory.mktemp("layers")
    recipe = recipes()["orthorhombic"]
    volume = make(recipe, (40, 40, 14), replace(CLEAN, counts=250.0), ideal=True, seed=1)
    planes = [cut(reconstruction_of(volume), f"hk{0.1 * layer:g}", pixels=72) for layer in range(6)]
    settings = SolverSettings(uncertainty=True, widths=(0.42,))
    write_factors(here / "factors.h5", crystal_factors(planes, "solver", settings=settings))
    others = {"a": recipe.a, "b": recipe.b, "wrong": recipes()["triclinic"].a}
    for name, molecule in others.items():
        lines = [f"{e} {x:.6f} {y:.6f} {z:.6f}" for e, (x, y, z) in zip(molecule.elements, molecule.xyz, strict=True)]
        (here / f"{name}.xyz").write_text("\n".join([str(len(lines)), "", *lines, ""]))
    return here, volume.alpha


def test_known_molecules_make_parallel_layers_tell_of_the_order_across_them(layers):
    here, alpha = layers
    words = ["refine-sro", here / "factors.h5", "--laue", "2/m:c", "--no-positivity", "--json"]
    known = run(*words, "--molecules", here / "a.xyz", here / "b.xyz")
    assert known.exit_code == 0, known.output
    told = json.loads(known.stdout)["refinements"][0]
    near = told["shells"][:10]
    assert [1, 0, 0] in [shell["vector"] for shell in near]
    errors = {
        tuple(shell["vector"]): shell["alpha"] - alpha[tuple(np.array(shell["vector"]) + CUTOFF)] for shell in near
    }
    assert max(abs(error) for error in errors.values()) < 0.006
    own = json.loads(run(*words, "--cutoff", "2").stdout)["refinements"]
    across = next(shell for shell in own[0]["shells"] if shell["vector"] == [0, 0, 1])
    assert abs(across["alpha"] - alpha[CUTOFF, CUTOFF, CUTOFF + 1]) > 3 * abs(errors[0, 0, 1])
    assert [each["recommended"] for each in own] == [False, True]


def test_wrong_molecules_are_told(layers):
    here, _ = layers
    words = ["refine-sro", here / "factors.h5", "--cutoff", "1", "--no-positivity", "--molecules"]
    found = run(*words, here / "a.xyz", here / "wrong.xyz")
    assert found.exit_code == 3
    assert "of I_FF unexplained" in found.stdout
