"""Pretend to measure a powder of fluorite with a laboratory tube: ``python examples/powder.py FILE.xy``."""

import sys
from pathlib import Path

import numpy as np

from dsfu.simulate.densities.crystals import unit_cell
from dsfu.simulate.densities.profiles import Instrument, measured_pattern, with_background

calcium = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
fluorine = [[x, y, z] for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)]
fluorite = unit_cell([5.463, 5.463, 5.463, 90, 90, 90], calcium + fluorine, [20] * 4 + [9] * 8)
angles = np.arange(15, 110, 0.02)
clean = measured_pattern(fluorite, angles, Instrument(zero=0.04, size=800))
counts = with_background(clean, angles, np.random.default_rng(1), counts=20000, level=0.05, hump=0.02)
path = Path(sys.argv[1])
path.write_text("".join(f"{angle:.2f} {count:.0f}\n" for angle, count in zip(angles, counts, strict=True)))
print(f"{path}: CaF2, a = 5.463 Å, Cu Kα, zero shift 0.04°")
