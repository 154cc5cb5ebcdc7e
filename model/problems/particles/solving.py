"""From a measured G(r) to a ranked list of particles, and a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from dsfu.model.problems.particles.axial_ratio import axial_ratio, fit_axial_ratio
from dsfu.model.problems.particles.editing import Start, edited
from dsfu.model.problems.particles.envelope import EnvelopeFit, envelope_fits
from dsfu.model.problems.particles.fit_space import FitLimits, FitSpace, fit_space, noise_floor
from dsfu.model.problems.particles.matching import Matches, match
from dsfu.model.problems.particles.occupancies import likelihood_unit
from dsfu.model.problems.particles.ranking import lattice_of, likeliest, score
from dsfu.model.problems.particles.reading import MeasuredPdf
from dsfu.model.problems.particles.refining import LONGEST_STRETCH, Refined, forward_of, refine
from dsfu.model.problems.particles.settings import Q_DAMPS, UNTOLD, SolveSettings, bonds_of, limits_of
from dsfu.model.problems.particles.shape_table import ShapeTable, load_table
from dsfu.model.problems.particles.sine_sums import SumsOnDemand
from dsfu.simulate.arrays import FloatArray

_BEST, _OF_FAMILY, _OF_HOPELESS = 16, 4, 1
_HOPELESS: Final = (4.0, 0.05)
"""A family whose best match leaves more than this many times the share of the best of all, and this more, is shown by
one shape only: twice its R_w. A match is off by up to .2 % in b, which costs less than the second number. Chosen."""

_WINDOW_SEEN: Final = 0.97
"""Share of the misfit that Lorch's window has to leave, to be believed. Of 19 files of an independent program without
one it left 1.05 at least, of 11 with one .54 to .965 in seven and more in four."""

_SHOWN: Final = 12
_MAY_BE_BEST: Final = 0.7
"""In score: how far behind the best HCP may be before its c/a is fitted, which gains at most that much. Chosen."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate:
    """A particle that may explain the data.

    Attributes
    ----------
    family, parameters, atoms
        As in `dsfu.simulate.particles.shapes`. No parameters: atoms were added to or removed from ``edited_from``.
    refined
        The fit.
    score
        The order of the list: ln(R_w) with what is unlikely beforehand added.
    built_as
        The family by whose builder its positions are made: FCC may come as a cut Octahedron, or from layers.
    positions
        In units of b, if edited or with another c/a; None for shapes as they are in the table.
    c_over_a
        Of HCP that was fitted with it.
    price
        Of the moves that edited it, as a logarithm of likelihood.
    """

    family: str
    parameters: tuple[int | str, ...]
    atoms: int
    refined: Refined
    score: float
    built_as: str
    positions: FloatArray | None = None
    edited_from: str = ""
    c_over_a: float | None = None
    price: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class ParticleSolution:
    """Candidates, best first, and everything that a report shows.

    ``is_damping_known``: the file or the user said what the instrument's is.
    """

    candidates: list[Candidate]
    space: FitSpace
    limits: FitLimits
    bonds: tuple[float, float]
    envelope: EnvelopeFit
    measured: MeasuredPdf
    is_damping_known: bool
    notes: list[str]


def solve_particle(
    measured: MeasuredPdf, settings: SolveSettings = UNTOLD, table: ShapeTable | None = None
) -> ParticleSolution:
    """Match all shapes, fit the best of every family, and rank them."""
    table = table or load_table()
    notes = list(measured.notes)
    limits = limits_of(measured, settings, notes)
    bonds = bonds_of(measured, settings)
    space = fit_space(measured, limits)
    sums = SumsOnDemand(table, float(space.q[-1]) * bonds[1] * LONGEST_STRETCH)
    found = match(table, sums, space, bonds)
    chosen = _chosen(table, found)
    is_damping_known = settings.q_damp is not None or measured.q_damp is not None
    limits, space = _best_limits(measured, limits, space, table, sums, found, chosen, is_damping_known)
    if limits.is_windowed:
        notes.append("F(Q) was damped by a window (Lorch's), with which the particle fits better; the fits have it")
    envelope = envelope_fits(space, table, found)
    candidates = []
    for shape in chosen:
        fitted = _refine(table, sums, space, shape, found)
        name = (table.families[shape], int(table.atoms[shape]))
        value = score(*name, fitted, envelope, space, noise_floor(space))
        candidates.append(
            Candidate(
                family=name[0],
                parameters=table.parameters[shape],
                atoms=name[1],
                refined=fitted,
                score=value,
                built_as=table.built_as[shape],
            )
        )
    candidates = _with_axial_ratios(candidates, space, envelope)
    candidates += _edited(candidates, space, envelope)
    candidates.sort(key=lambda candidate: candidate.score)
    # Particles of the search are the best of hundreds: their χ² is lower by chance, for which they pay.
    unit = likelihood_unit(space, noise_floor(space))
    rw = [float(np.sqrt(each.refined.rw**2 + unit * each.price)) for each in candidates]
    first = likeliest([each.family for each in candidates], rw, space, noise_floor(space))
    candidates.insert(0, candidates.pop(first))
    return ParticleSolution(
        candidates=candidates,
        space=space,
        limits=limits,
        bonds=bonds,
        envelope=envelope,
        measured=measured,
        is_damping_known=is_damping_known,
        notes=notes,
    )


def _with_axial_ratios(candidates: Sequence[Candidate], space: FitSpace, envelope: EnvelopeFit) -> list[Candidate]:
    """HCP of the candidates that may be the best, with the c/a that fits it."""
    least, noise = min(each.score for each in candidates), noise_floor(space)
    out, expected = list(candidates), None
    for place in np.argsort([each.score for each in candidates], kind="stable").tolist():
        candidate = candidates[place]
        if candidate.family != "HCP" or candidate.score >= least + _MAY_BE_BEST:
            continue
        fitted = fit_axial_ratio(candidate.built_as, candidate.parameters, candidate.refined, space, expected)
        if fitted is None:
            continue
        expected = expected or fitted.c_over_a
        out[place] = replace(
            candidate,
            positions=fitted.positions,
            c_over_a=fitted.c_over_a,
            refined=fitted.refined,
            score=score(candidate.family, candidate.atoms, fitted.refined, envelope, space, noise),
        )
    return out


def _edited(candidates: Sequence[Candidate], space: FitSpace, envelope: EnvelopeFit) -> list[Candidate]:
    """Particles that no table has, where the best shape leaves more than noise but not much."""
    noise = noise_floor(space)
    in_order = sorted(candidates, key=lambda candidate: candidate.refined.rw)
    starts = [
        Start(
            lattice=lattice_of(each.family),
            built_as=each.built_as,
            parameters=each.parameters,
            atoms=each.atoms,
            refined=each.refined,
            stretch=each.c_over_a / axial_ratio(each.parameters) if each.c_over_a else 1.0,
        )
        for each in in_order
    ]
    families = {(each.built_as, each.parameters): each.family for each in candidates}
    best = edited(starts, space, noise)
    if best is None:
        return []
    start, atoms = best.start, len(best.positions)
    family = families[start.built_as, start.parameters]
    return [
        Candidate(
            family=family,
            parameters=(),
            atoms=atoms,
            refined=best.refined,
            score=score(family, atoms, best.refined, envelope, space, noise),
            built_as=start.built_as,
            positions=best.positions,
            c_over_a=axial_ratio(start.parameters) * start.stretch if family == "HCP" else None,
            price=best.price,
            edited_from=f"{start.built_as}({', '.join(map(str, start.parameters))})",
        )
    ]


def shown(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best, and the best two of each family, in order."""
    counts: dict[str, int] = {}
    out = []
    for i, candidate in enumerate(candidates):
        counts[candidate.family] = counts.get(candidate.family, 0) + 1
        if i < _SHOWN or counts[candidate.family] <= 1:
            out.append(candidate)
    return out


def _chosen(table: ShapeTable, found: Matches) -> list[int]:
    """The best of all, and some of every family."""
    order = np.argsort(found.misfit, kind="stable")
    chosen = dict.fromkeys(order[:_BEST].tolist())
    families = np.array(table.families)[order]
    limit = _HOPELESS[0] * found.misfit[order[0]] + _HOPELESS[1]
    for family in dict.fromkeys(table.families):
        own = order[families == family]
        count = _OF_FAMILY if found.misfit[own[0]] < limit else _OF_HOPELESS
        chosen |= dict.fromkeys(own[:count].tolist())
    return list(chosen)


def _refine(
    table: ShapeTable, sums: SumsOnDemand, space: FitSpace, shape: int, found: Matches, rounds: int = 12
) -> Refined:
    forward = forward_of(space, sums.column(shape), *table.of(shape), int(table.atoms[shape]))
    return refine(forward, float(found.bond[shape]), float(found.b_iso[shape]), rounds)


def _best_limits(
    measured: MeasuredPdf,
    limits: FitLimits,
    space: FitSpace,
    table: ShapeTable,
    sums: SumsOnDemand,
    found: Matches,
    chosen: list[int],
    is_damping_known: bool,
) -> tuple[FitLimits, FitSpace]:
    """The damping by the instrument, if it is not known, and the window over F(Q), with which three shapes fit best."""

    def tried(own: FitLimits) -> tuple[float, FitLimits, FitSpace]:
        own_space = space if own == limits else fit_space(measured, own)
        return min(_refine(table, sums, own_space, shape, found, 6).rw for shape in chosen[:3]), own, own_space

    dampings = [limits.q_damp] if is_damping_known else Q_DAMPS
    best = min((tried(replace(limits, q_damp=each)) for each in dampings), key=lambda each: each[0])
    windowed = tried(replace(best[1], is_windowed=True))
    if windowed[0] ** 2 < _WINDOW_SEEN * best[0] ** 2:
        best = windowed
    return best[1], best[2]
