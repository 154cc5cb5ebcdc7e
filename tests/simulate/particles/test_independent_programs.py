"""G(r) beside that of programs which others wrote. Neither is installed with the project: pip install diffpy.pdffit2
debyecalculator."""

import numpy as np
import pytest

from dsfu.simulate.particles.debye import any_structure
from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.shapes import positions_of

B_ISO, BOND, Q_MAX = 0.5, 2.77, 20.0
CASES = [("Decahedron", (3, 2, 1)), ("Octahedron", (4,)), ("HCP", (3, 3, 3)), ("Icosahedron", (2,))]


def scaled_difference(ours, theirs):
    """Root of the mean square difference over the mean square, after the best scale; and the scale."""
    scale = ours @ theirs / (ours @ ours)
    return np.sqrt(((theirs - scale * ours) ** 2).sum() / (theirs**2).sum()), scale


@pytest.mark.parametrize(("family", "parameters"), CASES)
def test_pdffit2(family, parameters):
    pytest.importorskip("diffpy.pdffit2")
    from diffpy.pdffit2 import PdfFit, redirect_stdout
    from diffpy.structure import Atom, Lattice, Structure

    positions = positions_of(family, parameters) * BOND
    with open("/dev/null", "w") as nowhere:  # noqa: PTH123
        redirect_stdout(nowhere)
        box = 150.0
        lattice = Lattice(box, box, box, 90, 90, 90)
        uiso = B_ISO / (8 * np.pi**2)
        atoms = [Atom("Pt", x / box, Uisoequiv=uiso, lattice=lattice) for x in positions]
        fit = PdfFit()
        fit.add_structure(Structure(atoms, lattice=lattice))
        fit.alloc("X", Q_MAX, 0.0, 1.5, 20.0, 1851)
        fit.calc()
        r, theirs = np.array(fit.getR()), np.array(fit.getpdf_fit())
    # pdffit2 subtracts 4πrρ₀ of the (nearly empty) box, and sums peaks in real space: its q_min is 0
    experiment = PdfExperiment(q_min=0.0, q_max=Q_MAX, points=2001, longest=40)
    ours = experiment.pdf(any_structure(positions, B_ISO, experiment.q_step, experiment.q_points))
    ours = np.interp(r, experiment.r, ours)
    difference, scale = scaled_difference(ours, theirs + 4 * np.pi * r * len(positions) / box**3)
    assert difference < 0.03  # it folds with the termination ripples of a finite range of r
    assert scale == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("family", "parameters"), CASES)
def test_debyecalculator(family, parameters, tmp_path):
    module = pytest.importorskip("debyecalculator")
    positions = positions_of(family, parameters) * BOND
    path = tmp_path / "particle.xyz"
    rows = "".join(f"Pt {x:.9f} {y:.9f} {z:.9f}\n" for x, y, z in positions)
    path.write_text(f"{len(positions)}\n\n{rows}")
    calculator = module.DebyeCalculator(
        device="cpu", qmin=0.7, qmax=Q_MAX, qstep=0.02, qdamp=0.04, rmin=0.0, rmax=20.0, rstep=0.01, biso=B_ISO
    )
    r, theirs = (np.asarray(values, float) for values in calculator.gr(str(path)))
    experiment = PdfExperiment(q_min=0.7, q_max=Q_MAX, q_damp=0.04, points=2001, longest=40)
    ours = experiment.pdf(any_structure(positions, B_ISO, experiment.q_step, experiment.q_points))
    far = r > 1
    difference, _ = scaled_difference(np.interp(r, experiment.r, ours)[far], theirs[far])
    assert difference < 0.02
