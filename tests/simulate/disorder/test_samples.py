import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from dsfu.simulate.disorder.encoding import decode_plane, encode_plane
from dsfu.simulate.disorder.fields import SAMPLE_FIELDS
from dsfu.simulate.disorder.plane_rules import PlaneRules
from dsfu.simulate.disorder.planes import Plane
from dsfu.simulate.disorder.samples import PairSamples, SetChoice, _encode, simulate_pair
from dsfu.simulate.disorder.scattering import simulate_plane
from dsfu.simulate.lattice import Cell
from dsfu.simulate.random_stream import RandomStream
from tests.simulate.strategies import random_alpha

CELL_A, CELL_B = Cell(4.0, 5.0, 4.0), Cell(6.0, 3.0, 6.0)
A, B = molecule("CH3OH"), molecule("H2O")
SETS = (
    SetChoice(kind="monte_carlo", fraction_a=0.25, alpha=random_alpha(1)),
    SetChoice(kind="oscillator", fraction_a=0.5, alpha=random_alpha(2)),
)


ROOT = Path(__file__).resolve().parents[3]


def first_columns(intensity: np.ndarray) -> np.ndarray:
    return np.asarray(intensity.sum(axis=0)[:3])


def samples(seed: int = 7, sets=SETS, embed: Callable[[np.ndarray], np.ndarray] = first_columns) -> PairSamples:
    return simulate_pair(
        A,
        CELL_A,
        B,
        CELL_B,
        sets,
        q_max_range=(6.0, 8.0),
        rules=PlaneRules(pixels=32),
        embed=embed,
        random=RandomStream(seed, "test"),
    )


def test_every_sample_can_be_computed_again_from_its_fields() -> None:
    made = samples()
    for i, number in enumerate(made.set_number):
        fields = {name: values[i] for name, values in made.fields.items()}
        plane = Plane(fields["centre"], fields["axis_x"], fields["axis_y"], float(fields["q_max"]), 32)
        again = simulate_plane(A, B, fields["fraction_a"], Cell(*fields["cell"]), SETS[number].alpha, plane)
        for values, stored, scale in (
            (again.form_factor, made.form_factor[i], fields["form_factor_scale"]),
            (again.sro, made.sro[i], fields["sro_scale"]),
        ):
            error = np.abs(np.sqrt(decode_plane(stored, scale)) - np.sqrt(values))
            assert error.max() <= 0.51 / 65535 * np.sqrt(scale)
        assert fields["clipped_fraction"] == np.float32(again.clipped_fraction)


def test_counts_and_types_are_as_declared() -> None:
    made = samples()
    assert made.set_number.tolist() == [0] * 12 + [1] * 4
    assert made.form_factor.shape == made.sro.shape == (16, 32, 32)
    assert [(f.name, f.dtype) for f in SAMPLE_FIELDS] == [(n, str(v.dtype)) for n, v in made.fields.items()]
    assert sum(choice.planes(PlaneRules()) for choice in SETS) == 16


def test_cells_follow_vegard_and_q_max_stays_in_its_range() -> None:
    made = samples()
    np.testing.assert_allclose(made.fields["cell"][0], [5.5, 3.5, 5.5, 90, 90, 90])
    np.testing.assert_allclose(made.fields["cell"][-1], [5.0, 4.0, 5.0, 90, 90, 90])
    assert all(6 <= q_max < 8 for q_max in made.fields["q_max"].tolist())
    assert len(np.unique(made.fields["q_max"])) == len(SETS)


def test_the_stream_decides_and_each_set_has_its_own() -> None:
    first, again, other = samples(7), samples(7), samples(8)
    np.testing.assert_array_equal(first.form_factor, again.form_factor)
    assert (first.fields["q_max"] != other.fields["q_max"]).all()
    shorter = samples(7, SETS[:1])
    np.testing.assert_array_equal(first.sro[:12], shorter.sro)


def test_the_compiled_encoder_is_the_plain_one_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    for plane in (rng.random((64, 64)) ** 3 * 1e5, rng.random((5, 7)), np.zeros((4, 4)), np.full((3, 3), 2.0)):
        intensity = np.asarray(plane, np.float32)
        out = np.empty(intensity.shape, np.uint16)
        scale = _encode(intensity, out)
        expected, expected_scale = encode_plane(intensity)
        np.testing.assert_array_equal(out, expected)
        assert scale == expected_scale


PRINT_DIGEST = """
import hashlib
from tests.simulate.disorder.test_samples import samples
from dsfu.simulate.disorder.uniqueness import embed_plane
made = samples(embed=embed_plane)
print(hashlib.sha256(made.form_factor.tobytes() + made.sro.tobytes() + made.embedding.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_a_processor_without_special_instructions_makes_the_same_bits(tmp_path: Path) -> None:
    """As far as one machine can show: what is compiled for any x86-64 gives what is compiled for this processor."""
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, **extra},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for extra in ({}, plain)
    }
    assert len(digests) == 1
