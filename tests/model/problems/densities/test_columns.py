"""Columns as instruments' programs export them: each gives the same angles and counts."""

from pathlib import Path

import numpy as np
import pytest

from dsfu.errors import InputError
from dsfu.model.problems.densities.readers import read_pattern
from dsfu.simulate.arrays import FloatArray

ANGLES: FloatArray = np.round(np.arange(10, 40, 0.05), 4)
COUNTS: FloatArray = np.rint(300 + 15000 * np.exp(-0.5 * ((ANGLES - 26.6) / 0.1) ** 2))


def _rows(form: str) -> str:
    return "".join(form.format(x=x, y=int(y)) for x, y in zip(ANGLES, COUNTS, strict=True))


def _weakened(form: str) -> str:
    """With an attenuator of ten where counts are high."""
    amounts = np.where(COUNTS > 1000, 10, 1)
    return "".join(form.format(x=x, y=y / a, a=a) for x, y, a in zip(ANGLES, COUNTS, amounts, strict=True))


EIGHT = "\n".join(" ".join(f"{int(y):8d}" for y in COUNTS[i : i + 8]) for i in range(0, 600, 8))
UXD = "_FILEVERSION=1\n_WL1=1.540600\n_STEPSIZE=0.0500\n_START=10.0000\n_COUNTS\n"

FILES = {
    "four columns, intensity the third": (
        "Anode material,Cu\nK-Alpha1 wavelength,1.5406\n[Scan points]\nAngle,TimePerStep,Intensity,ESD\n"
        + _rows("{x:.4f},20.1,{y},9.1\n")
    ),
    "decimal commas in one column": "WL1=1.5406\n2Theta;Intensity\n" + _rows("{x:.4f};{y}\n").replace(".", ","),
    "thousands": "# lambda 1.5406\n2theta\tcounts\n" + _rows("{x:.4f}\t{y:,}\n"),
    "counts alone": UXD + EIGHT,
    "Bruker's counts a second": (UXD.replace("_START", "_2THETA").replace("COUNTS", "CPS") + EIGHT),
    "Philips": "Anode,Cu,/\nLabdaAlpha1, 1.5406,/\nDataAngleRange, 10.0000, 39.95,/\nScanStepSize, 0.050,/\nRawScan\n"
    + EIGHT.replace("\n", ",\n").replace("  ", ", ").replace(", ,", ",")
    + "/\n",
    "Rigaku's counts": "*TYPE = Raw\n*WAVE_LENGTH1 = 1.5406\n*START = 10.0\n*STEP = 0.05\n*COUNT = 600\n"
    + EIGHT
    + "\n*END\n",
    "Rigaku's columns": '*HW_XG_WAVE_LENGTH_ALPHA1 "1.5406"\n*RAS_INT_START\n' + _weakened("{x:.4f} {y:.4f} {a:.4f}\n"),
    "Sietronics": "SIETRONICS XRD SCAN\n10.00\n39.95\n0.05\nCu\n1.5406\n1-1-20\n1.0\nx\nSCANDATA\n" + EIGHT,
    "Jade": "1-1-20 sample\n 10.0 0.05 1.0 CU 1.5406 39.95 600\n" + EIGHT,
    "FIT2D": "lambda 1.5406\n2-Theta Angle (Degrees)\nIntensity\n   600\n" + _rows(" {x:.7E} {y}\n"),
    "commas between columns": "Angle,Intensity\n# lambda 1.5406\n" + _rows("{x:.4f},{y}\n"),
}


@pytest.mark.parametrize("kind", FILES)
def test_angles_counts_and_wavelength_are_those_of_the_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "pattern.txt"
    path.write_text(FILES[kind])
    found = read_pattern(path)
    np.testing.assert_allclose(found.two_theta, ANGLES, atol=1e-6)
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.wavelength == 1.5406


def test_counts_alone_are_not_taken_for_angles(tmp_path: Path) -> None:
    """Few counts of Rigaku's .asc, four in a line, would be 2θ and intensity by their size."""
    few = np.random.default_rng(0).poisson(20, 2400)
    path = tmp_path / "pattern.asc"
    rows = "\n".join(", ".join(map(str, few[i : i + 4])) for i in range(0, 2400, 4))
    path.write_text(f"*TYPE = Raw\n*START = 10.0\n*STEP = 0.02\n{rows}\n*END\n")
    with pytest.raises(InputError, match="neither rises nor falls"):
        read_pattern(path, 1.5406)


def test_angles_may_be_rounded_to_the_same_number_but_not_all(tmp_path: Path) -> None:
    """Steps of .005° written with two decimals: half of the angles repeat the one before."""
    angles = np.arange(10, 20, 0.005)
    file = tmp_path / "fine.xy"
    file.write_text("".join(f"{angle:.2f} {5 + i % 7}\n" for i, angle in enumerate(angles)))
    assert len(read_pattern(file).two_theta) == len(angles)
    file.write_text("20.00 5\n20.00 7\n" * 50)
    with pytest.raises(InputError, match="neither rises nor falls"):
        read_pattern(file)


def test_q_without_a_head_is_not_taken_for_angles(tmp_path: Path) -> None:
    path = tmp_path / "pattern.xy"
    path.write_text("".join(f"{q:.5f} {y:.0f}\n" for q, y in zip(ANGLES / 6, COUNTS, strict=True)))
    with pytest.raises(InputError, match="Q"):
        read_pattern(path, 1.5406)


def test_an_attenuator_is_taken_out_of_counts_but_not_of_intensities(tmp_path: Path) -> None:
    amounts = np.where(COUNTS > 1000, 10, 1)
    head = (
        '<xrdMeasurement><kAlpha1 unit="Angstrom">1.5406</kAlpha1><positions axis="2Theta" unit="deg"><startPosition>10'
        "</startPosition><endPosition>39.95</endPosition></positions><beamAttenuationFactors>"
    )
    path = tmp_path / "pattern.xrdml"
    for tag, values in (("counts", COUNTS / amounts), ("intensities", COUNTS)):
        told = f"{' '.join(map(str, amounts))}</beamAttenuationFactors><{tag}>{' '.join(map(str, values))}</{tag}>"
        path.write_text(head + told)
        np.testing.assert_allclose(read_pattern(path).counts, COUNTS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*WAVE_LENGTH1 = 1.5406\n*START = 10.0\n*STEP = 0.05\n*COUNT = 600\n*END\n", "no counts follow"),
        ("SIETRONICS XRD SCAN\n10.00\n39.95\n0.05\nCu\n1.5406\n", "no counts follow"),
        (UXD.replace("0.0500", "0.05.1") + EIGHT, "the first angle and the step"),
    ],
)
def test_files_of_counts_alone_that_end_early_are_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "pattern.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_pattern(path)


def test_counts_alone_may_begin_below_zero(tmp_path: Path) -> None:
    path = tmp_path / "pattern.uxd"
    path.write_text(UXD.replace("10.0000", "-1.5000") + EIGHT)
    assert read_pattern(path).two_theta[0] == -1.5


def test_the_name_of_a_sample_does_not_make_angles_q(tmp_path: Path) -> None:
    path = tmp_path / "pattern.xy"
    path.write_text("# lambda 0.5\n# sample alumina-1\n" + _rows("{x:.4f} {y}\n"))
    np.testing.assert_allclose(read_pattern(path).two_theta, ANGLES)
