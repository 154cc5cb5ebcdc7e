"""What tests of the refinement against I_FF share: the paper's example."""

from pathlib import Path

from dsfu.simulate.lattice import Cell

TBA = Path(__file__).parents[4] / "examples" / "tba"
TBA_CELL = Cell(14.1, 14.1, 6.92, 90, 90, 120)
TBUTYL = "tBu=A:N*-C*4 -B:N*-C*4"
