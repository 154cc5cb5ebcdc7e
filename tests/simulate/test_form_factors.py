import numpy as np
import pytest

from dsfu.simulate.form_factors import coefficients, form_factor


@pytest.mark.parametrize("atomic_number", range(1, 99))
def test_forward_scattering_counts_the_electrons(atomic_number: int) -> None:
    assert form_factor(atomic_number, 0.0) == pytest.approx(atomic_number, rel=0.01)


def test_carbon_at_known_angles() -> None:
    # International Tables C, table 6.1.1.1 (numerical Hartree–Fock values), at s = sin θ/λ = 0.1, 0.3, 0.5 1/Å.
    s = np.array([0.1, 0.3, 0.5])
    np.testing.assert_allclose(form_factor(6, 4 * np.pi * s), [5.126, 2.494, 1.685], atol=0.02)


@pytest.mark.parametrize("atomic_number", [0, -1, 99, 200])
def test_elements_without_a_table_raise(atomic_number: int) -> None:
    with pytest.raises(ValueError, match=f"atomic number {atomic_number}"):
        coefficients(atomic_number)
