"""What a factorisation gave: as text for the terminal, and as a record for programs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dsfu.model.measured.factorise.factors import CrystalFactors
from dsfu.model.measured.lattice.found import FoundLattice


def text_of(factors: CrystalFactors) -> str:
    """What a factorisation gave, for the terminal."""
    lines = []
    for plane in factors.planes:
        known = 100 * float(plane.from_data.mean())
        lines.append(f"{plane.name}")
        lines.append(f"  measured      {100 * plane.measured.coverage:.1f} % of the plane")
        if factors.method != "network":
            lines.append(f"  from data     {known:.1f} % of the form factor")
        lines.append(f"  misfit        {100 * plane.misfit:.2f} % of the intensity")
        if plane.background:
            lines.append(f"  background    {plane.background:.4g}")
    captured = factors.settings.get("captured_by_lattice", [])
    lines += [f"on the lattice: {100 * each:.0f} % of what the network says of the order" for each in captured]
    for check in factors.verdict.checks:
        mark = "ok " if check.passed else "NO "
        lines.append(f"{mark} {check.name:39s} {check.value:.4f}  (limit {check.limit:g})")
    lines.append(factors.verdict.sentence)
    return "\n".join(lines)


def record_of(factors: CrystalFactors, written: Sequence[Path], lattice: FoundLattice | None = None) -> dict[str, Any]:
    """The answer for programs; with the lattice, if one was found."""
    planes = [
        {
            "name": each.name,
            "measured": float(each.measured.coverage),
            "from_data": float(each.from_data.mean()),
            "misfit": float(each.misfit),
            "background": float(each.background),
        }
        for each in factors.planes
    ]
    checks = [
        {"name": each.name, "value": float(each.value), "limit": each.limit, "passed": each.passed}
        for each in factors.verdict.checks
    ]
    verdict = {
        "passed": factors.verdict.passed,
        "judgement": factors.verdict.judgement,
        "sentence": factors.verdict.sentence,
        "checks": checks,
    }
    return {
        "method": factors.method,
        **({} if lattice is None else {"lattice": _record_of_lattice(lattice)}),
        "planes": planes,
        "verdict": verdict,
        "files": [str(path) for path in written],
    }


def _record_of_lattice(lattice: FoundLattice) -> dict[str, Any]:
    """Of an image without a scale the points' distances in voxels, and no lengths."""
    points = lattice.points_apart
    size = {"basis_angstrom": lattice.basis.tolist()} if points is None else {"points_apart_voxels": points.tolist()}
    return {
        "kind": lattice.kind,
        **size,
        "angle": lattice.angle,
        "one_dimensional": lattice.one_dimensional,
        "misfit": lattice.misfit,
        "agreement": None if np.isnan(lattice.agreement) else lattice.agreement,
    }
