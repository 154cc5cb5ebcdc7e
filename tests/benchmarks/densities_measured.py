"""Measured powders: is the cell right in the first answer, and among the first five?

    python tests/benchmarks/densities_measured.py FOLDER

FOLDER holds the public patterns of the benchmark (BENCHMARKS.md says which). The wanted cells are the published ones;
an answer counts where space group number and all axes (within 1 %) are theirs. Constants were tried
on these very files.
"""

import sys
import time
from pathlib import Path

import numpy as np

from dsfu.model.problems.densities.formulas import parse_formula
from dsfu.model.problems.densities.readers import read_pattern
from dsfu.model.problems.densities.solve import solve

KNOWN = (
    ("gw5052Mg2Si_100K_LTsup2.combined.cif.gz", "Mg2Si", None, 225, (6.3347, 6.3347, 6.3347)),
    ("NaCu2P2.xy", "NaCu2P2", 1.5418, 139, (3.9979, 3.9979, 9.5489)),
    ("wh5012phaseIIIsup3.combined.cif.gz", "Rb2S", None, 194, None),
    ("sq3214Isup2.combined.cif.gz", "EuI2", None, 62, None),
    ("iz1026Isup2.combined.cif.gz", "LiNa2AlF6", 1.5418, 14, None),
    ("br1340Isup2.combined.cif.gz", "BiCdClO2", None, 62, None),
    ("LuOF.xy", "LuOF", 1.5418, 129, (3.8486, 3.8486, 5.3099)),
    ("Ca2MnTeO6.xy", "Ca2MnTeO6", 1.5418, 14, (5.4929, 5.6583, 9.5802)),
    ("ZrGe6Ni6.xy", "ZrGe6Ni6", 1.5418, 191, (5.0813, 5.0813, 7.952)),
)


def main() -> None:
    folder = Path(sys.argv[1])
    for name, formula, wavelength, number, axes in KNOWN:
        start = time.process_time()
        try:
            answer = solve(read_pattern(folder / name, wavelength), parse_formula(formula))
        except Exception as error:
            print(f"{name:44s} {error}")
            continue
        right = [
            each.kind.number == number
            and (axes is None or bool(np.abs(np.sort(each.kind.cell[:3]) / np.sort(axes) - 1).max() < 0.01))
            for each in answer.candidates
        ]
        best = answer.candidates[0] if answer.candidates else None
        told = (
            f"{best.kind.number} {np.round(best.kind.cell[:3], 3)} R {best.r:.3f} ({best.excess:.3f})" if best else "-"
        )
        seconds = time.process_time() - start
        print(
            f"{name:44s} first {right[:1]} five {any(right)} {told} {answer.verdict} {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
