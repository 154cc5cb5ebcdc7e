"""What `solve-particle` writes: JSON, XYZ and CIF of each candidate, the fit as CSV."""

import csv
import io
import json
import re
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from dsfu.model.problems.particles.intervals import intervals_of
from dsfu.model.problems.particles.learning.families import QUANTITIES
from dsfu.model.problems.particles.ranking import diameter_of, lattice_of
from dsfu.model.problems.particles.second_opinion import SecondOpinion
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.model.problems.particles.verdict import ParticleVerdict, tied
from dsfu.simulate.arrays import FloatArray

_PADDING = 10.0


def positions_in_angstrom(candidate: Candidate) -> FloatArray:
    """Positions of the atoms, around their centre."""
    positions = candidate.positions
    if positions is None:
        positions = _built(candidate.built_as, candidate.parameters)
    return np.asarray((positions - positions.mean(axis=0)) * candidate.refined.bond)


@lru_cache(maxsize=64)
def _built(family: str, parameters: tuple[int | str, ...]) -> FloatArray:
    """A shape's positions, which XYZ, CIF and page ask for in turn."""
    from dsfu.simulate.particles.shapes import positions_of

    return positions_of(family, parameters)


def name_of(candidate: Candidate) -> str:
    """Such as "Decahedron(3, 2, 1)"."""
    inside = ", ".join(map(str, parameters_of(candidate))) or f"edited from {candidate.edited_from}"
    return f"{candidate.family}({inside})"


def parameters_of(candidate: Candidate) -> list[int | str]:
    """As a list; where the family is not the builder's, the builder comes first."""
    own = list(candidate.parameters)
    return (
        [candidate.built_as.lower(), *own] if own and candidate.built_as not in (candidate.family, "Faulted") else own
    )


def file_name(number: int, candidate: Candidate) -> str:
    """Such as "01-Decahedron-146"."""
    return f"{number:02d}-{candidate.family}-{candidate.atoms}"


def element_of(solution: ParticleSolution, element: str) -> str:
    """The user's, or that of a composition of one element; X for unknown."""
    found = re.fullmatch(r"\s*([A-Z][a-z]?)\s*[0-9.]*\s*", solution.measured.composition)
    return element or (found[1] if found else "X")


def xyz_of(candidate: Candidate, element: str) -> str:
    """An XYZ file."""
    positions = positions_in_angstrom(candidate)
    rows = "".join(f"{element} {x:.5f} {y:.5f} {z:.5f}\n" for x, y, z in positions)
    return f"{len(positions)}\n{name_of(candidate)}, b = {candidate.refined.bond:.4f} A\n{rows}"


def cif_of(candidate: Candidate, element: str) -> str:
    """A CIF: the particle in a box, in P 1."""
    positions = positions_in_angstrom(candidate)
    box = np.ptp(positions, axis=0) + 2 * _PADDING
    inside = positions / box + 0.5
    u_iso = candidate.refined.b_iso / (8 * np.pi**2)
    label = element if element != "X" else "Xx"
    head = [f"data_{candidate.family}_{candidate.atoms}", "_symmetry_space_group_name_H-M 'P 1'"]
    head += [f"_cell_length_{axis} {length:.4f}" for axis, length in zip("abc", box, strict=True)]
    head += [f"_cell_angle_{angle} 90" for angle in ("alpha", "beta", "gamma")]
    columns = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv")
    head += ["loop_", *(f"_atom_site_{column}" for column in columns)]
    rows = [f"{label}{i} {label} {x:.6f} {y:.6f} {z:.6f} {u_iso:.5f}" for i, (x, y, z) in enumerate(inside, 1)]
    return "\n".join(head + rows) + "\n"


def record_of(candidate: Candidate, number: int) -> dict[str, Any]:
    """One candidate, as in the JSON."""
    fit = candidate.refined
    return {
        "family": candidate.family,
        "parameters": parameters_of(candidate),
        "atoms": candidate.atoms,
        "bond_length": round(fit.bond, 5),
        "b_iso": round(fit.b_iso, 4),
        "rw": round(fit.rw, 5),
        "file": file_name(number, candidate) + ".xyz",
        "lattice": lattice_of(candidate.family),
        "diameter": round(diameter_of(candidate.family, candidate.atoms, fit.bond), 2),
        "b_iso_bonds": round(fit.b_bonds, 4),
        "strain": round(fit.strain, 5),
        "bond_length_uncertainty": float(f"{fit.uncertainties[0]:.2g}"),
        "b_iso_uncertainty": float(f"{fit.uncertainties[1]:.2g}"),
        "score": round(candidate.score, 4),
        "c_over_a": None if candidate.c_over_a is None else round(candidate.c_over_a, 4),
        "edited_from": candidate.edited_from or None,
    }


def opinion_record(opinion: SecondOpinion, best: Candidate) -> dict[str, Any]:
    """What the network says, as in the JSON: [low, middle, high] of 90 % intervals."""
    numbers = {name: [round(value, 4) for value in getattr(opinion, name)] for name in QUANTITIES}
    chances = {name: round(value, 4) for name, value in opinion.chances.items()}
    against = opinion.against(best)
    return {"used": False, "family": opinion.family, "chances": chances, **numbers, "disagrees": against}


def json_of(
    solution: ParticleSolution, candidates: list[Candidate], verdict: ParticleVerdict, opinion: SecondOpinion | None
) -> str:
    """Everything as JSON."""
    limits, envelope, intervals = solution.limits, solution.envelope, intervals_of(solution)
    alike = tied(solution)
    record = {
        "format": "dsfu solve-particle 1",
        "version": version("dsfu"),
        "candidates": [
            {**record_of(candidate, i), "tied": candidate in alike} for i, candidate in enumerate(candidates, 1)
        ],
        "verdict": verdict.words,
        "accepted": verdict.accepted,
        "reasons": verdict.reasons,
        "intervals": {
            "bond_length": [round(each, 5) for each in intervals.bond],
            "b_iso": [round(each, 4) for each in intervals.b_iso],
            "atoms": list(intervals.atoms),
        },
        "envelope": {
            "lattice": envelope.family,
            "diameter": None if envelope.endless else round(envelope.diameter, 1),
            "rw": round(envelope.rw, 4),
        },
        "fit": {
            "r_min": limits.r_min,
            "r_max": limits.r_max,
            "q_min": limits.q_min,
            "q_max": limits.q_max,
            "q_damp": limits.q_damp,
            "q_slow": limits.q_slow,
        },
        "network": opinion_record(opinion, candidates[0]) if opinion else None,
        "notes": solution.notes,
    }
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def fit_csv(solution: ParticleSolution, candidate: Candidate) -> str:
    """r, G without slow waves, fit and difference."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["r_angstrom", "g_without_slow_waves", "fit", "difference"])
    fit = fit_curve(solution, candidate)
    for r, g, f in zip(solution.space.r, solution.space.curve, fit, strict=True):
        writer.writerow([f"{r:.4f}", f"{g:.6g}", f"{f:.6g}", f"{g - f:.6g}"])
    return out.getvalue()


def fit_curve(solution: ParticleSolution, candidate: Candidate) -> FloatArray:
    """The fit on the r of the data."""
    return np.asarray(candidate.refined.fit @ solution.space.basis * solution.space.size)
