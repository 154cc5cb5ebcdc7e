"""Whole files of every kind that the programs read, small, and the commands that read them."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks.harms import harm_hdf5, harm_store, harm_text, harm_yaml
from tests.pipeline.tiny import manifest_text


@dataclass(frozen=True, kw_only=True)
class Target:
    """A file that is harmed, and the command that reads it; ``FILE`` in the command stands for its path."""

    seed: Path
    command: Sequence[str]
    harm: Callable[[Path, random.Random], None]


def seeds(folder: Path, crystals: bool) -> Mapping[str, Sequence[Target]]:
    """Whole files of every kind, small, made by the programs and the examples, and what reads them.

    Those that begin with a crystal take a minute to make: left out without ``crystals``.
    """
    top = Path(__file__).parents[2]
    manifest, training = folder / "manifest.yaml", folder / "training.yaml"
    manifest.write_text(manifest_text(1))
    training.write_text((top / "examples" / "demo-training.yaml").read_text())
    _make(folder, "dsfu.pipeline.cli", "init", "--cluster", "slurm", "site.yaml")
    _make(folder, "dsfu.pipeline.cli", "run", "manifest.yaml", "--store", "store", "--scheduler", "sync", "-q")
    for name in ("up.xyz", "down.xyz"):
        shutil.copy(top / "examples" / "tba" / name, folder)
    (folder / "up.cif").write_text(CIF)
    if crystals:
        _make_crystal(folder)
    (folder / "particle.gr").write_text(particle())
    (folder / "crystal.hkl").write_text(reflections())
    (folder / "powder.xy").write_text(powder())
    return {
        **_made_by_the_pipeline(folder),
        **_of_other_problems(folder),
        **(_of_a_crystal(folder) if crystals else {}),
    }


def _make_crystal(folder: Path) -> None:
    _make(folder, "tests.benchmarks.crystal_maker", "orthorhombic", "crystal.h5", "t.json", "--half", "8", "--clean")
    _make(folder, "dsfu.model.cli", "prepare", "crystal.h5", "-o", "planes.h5", "--plane", "hk0", "--pixels", "32")
    _make(folder, "dsfu.model.cli", "factorise", "planes.h5", "-o", "factors.h5")
    _make(
        folder, "dsfu.model.cli", "refine-sro", "factors.h5", "-o", "order", *("--cutoff", "2", "--no-order-along", "c")
    )


def _model(path: Path, *words: str, harm: Callable[[Path, random.Random], None] = harm_text) -> Target:
    return Target(seed=path, command=("model", *words), harm=harm)


def _pipeline(path: Path, *words: str, harm: Callable[[Path, random.Random], None] = harm_yaml) -> Target:
    return Target(seed=path, command=("pipeline", *words), harm=harm)


def _made_by_the_pipeline(folder: Path) -> dict[str, list[Target]]:
    manifest, store = folder / "manifest.yaml", folder / "store"
    looks = [("verify", "FILE"), ("inspect", "FILE"), ("report", "FILE", "-o", "r.html"), ("status", "FILE")]
    array = ("submit", str(manifest), "--store", "s", "--array", "2", "--dry-run", "--cluster", "FILE")
    training = ("submit", str(store), "-o", "r", "--config", "FILE", "--dry-run")
    return {
        "manifest": [
            _pipeline(manifest, "plan", "FILE", "--store", "s"),
            _pipeline(manifest, "validate", "FILE"),
        ],
        "site": [_pipeline(folder / "site.yaml", *array)],
        "config": [_model(folder / "training.yaml", *training, harm=harm_yaml)],
        "store": [_pipeline(store, *words, harm=harm_store) for words in looks],
    }


def _of_other_problems(folder: Path) -> dict[str, list[Target]]:
    cell = ("--cell", "7.5,8.5,9.5,90,90,90")
    rock_salt = ("--formula", "NaCl", "--wavelength", "1.5406")
    return {
        "pdf": [_model(folder / "particle.gr", "solve-particle", "FILE", "-o", "o")],
        "reflections": [_model(folder / "crystal.hkl", "solve-phases", "FILE", "-o", "o", *cell)],
        "powder": [_model(folder / "powder.xy", "solve-density", "FILE", "-o", "o", *rock_salt)],
    }


def _of_a_crystal(folder: Path) -> dict[str, list[Target]]:
    table, up, down = next((folder / "order").glob("*.json")), folder / "up.xyz", folder / "down.xyz"
    volume = [("inspect", "FILE"), ("deltapdf", "FILE", "-o", "p.h5")]
    volume += [("prepare", "FILE", "-o", "p.h5", "--plane", "hk0", "--pixels", "16")]
    how = ("-o", "c.h5", "--limits", "0:1,0:1,0", "--step", "0.5", "--cell", "8,9,10,90,90,90")
    return {
        "cif": [_model(folder / "up.cif", "calculate", str(table), "FILE", str(down), *how)],
        "xyz": [_model(up, "calculate", str(table), "FILE", str(down), *how)],
        "table": [_model(table, "calculate", "FILE", str(up), str(down), *how)],
        "volume": [_model(folder / "crystal.h5", *words, harm=harm_hdf5) for words in volume],
        "prepared": [_model(folder / "planes.h5", "factorise", "FILE", "-o", "f.h5", harm=harm_hdf5)],
        "factors": [
            _model(folder / "factors.h5", "refine-sro", "FILE", "-o", "o", "--cutoff", "1", harm=harm_hdf5),
            _model(folder / "factors.h5", "inspect", "FILE", harm=harm_hdf5),
        ],
    }


CIF = """data_up
_cell_length_a 6.0
_cell_length_b 7.0
_cell_length_c 8.0
_cell_angle_alpha 90
_cell_angle_beta 95
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
C1 C 0.1 0.1 0.1 1
C2 C 0.3 0.1 0.1 1
N1 N 0.2 0.25 0.1 1.0
O1 O 0.2 0.4 0.15 0.5
"""


def particle() -> str:
    """A damped wave for a pair distribution function: no particle, and nothing to crash of."""
    r = np.arange(1.0, 20.0, 0.02)
    rows = "\n".join(f"{x:.3f} {y:.5f}" for x, y in zip(r, np.sin(2.3 * r) * np.exp(-r / 8) / r, strict=True))
    return f"#### start data\n#L r(A) G(r)\n# qmax=20.0\n{rows}\n"


def reflections() -> str:
    """HKLF 4 of three random atoms in P1."""
    rng = np.random.default_rng(1)
    sites = rng.random((3, 3))
    lines = []
    for h in np.ndindex(7, 7, 7):
        hkl = np.array(h) - 3
        intensity = abs(np.exp(2j * np.pi * sites @ hkl).sum()) ** 2 * 100
        lines.append("{:4d}{:4d}{:4d}{:8.2f}{:8.2f}".format(*hkl, intensity, 1 + intensity / 50))
    return "\n".join(lines) + "\n   0   0   0    0.00    0.00\n"


def powder() -> str:
    """Lines of rock salt at 1.5406 Å over a flat background."""
    x = np.arange(20.0, 90.0, 0.05)
    y = np.full_like(x, 20.0)
    lines = {27.37: 80, 31.70: 1000, 45.45: 600, 53.87: 20, 56.48: 180, 66.23: 80, 75.30: 150}
    for place, height in lines.items():
        y += height * np.exp(-(((x - place) / 0.12) ** 2))
    return "\n".join(f"{a:.3f} {b:.2f}" for a, b in zip(x, y, strict=True)) + "\n"


def _make(folder: Path, module: str, *words: str) -> None:
    top = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": top},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{module} {' '.join(words)}: {done.stderr[-2000:]}")
