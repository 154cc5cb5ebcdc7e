import numpy as np
import pytest
from scipy.spatial.distance import pdist

from dsfu.simulate.particles.experiment import PdfExperiment
from dsfu.simulate.particles.structures import read_structure

CIF = """data_gold
_cell_length_a 4.08
_cell_length_b 4.08
_cell_length_c 4.08
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Au1 Au 0 0 0
"""


def test_a_sphere_is_cut_from_a_crystal(tmp_path):
    path = tmp_path / "gold.cif"
    path.write_text(CIF)
    gold = read_structure(path, diameter=24.0)
    expected = 4 / 4.08**3 * np.pi * 24**3 / 6
    assert len(gold.symbols) == pytest.approx(expected, rel=0.1)
    assert pdist(gold.positions).min() == pytest.approx(4.08 / np.sqrt(2))
    pdf = gold.pdf(PdfExperiment())
    near = slice(200, 450)
    assert PdfExperiment().r[near][pdf[near].argmax()] == pytest.approx(4.08 / np.sqrt(2), abs=0.02)


def test_heavy_atoms_weigh_more(tmp_path):
    path = tmp_path / "pair.xyz"
    path.write_text("3\n\nPt 0 0 0\nPt 2.7 0 0\nO 0 2.0 0\n")
    structure = read_structure(path)
    assert structure.weights == pytest.approx(3 * np.array([78, 78, 8]) / 164)


@pytest.mark.parametrize(
    ("name", "text"), [("a.xyz", "nonsense"), ("a.xyz", "1\n\nPt 0 0 0\n"), ("a.cif", "data_x\n"), ("a.xyz", "")]
)
def test_what_is_no_structure_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=r"a\.(xyz|cif)"):
        read_structure(tmp_path / name)
