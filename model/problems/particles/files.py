"""The folder of results: written whole, each file under another name first."""

from pathlib import Path
from typing import Final

from dsfu.errors import InputError
from dsfu.files import write_text
from dsfu.model.problems.particles.output import cif_of, element_of, file_name, fit_csv, json_of, xyz_of
from dsfu.model.problems.particles.page import page_of
from dsfu.model.problems.particles.second_opinion import SecondOpinion
from dsfu.model.problems.particles.solving import Candidate, ParticleSolution
from dsfu.model.problems.particles.verdict import ParticleVerdict

FILES: Final = ("result.json", "report.html", "fit.csv")
"""Files whose names are known before the answer is."""


def write_results(
    folder: Path,
    name: str,
    solution: ParticleSolution,
    candidates: list[Candidate],
    verdict: ParticleVerdict,
    opinion: SecondOpinion | None,
    element: str,
) -> None:
    """result.json, report.html, fit.csv, and an XYZ and a CIF of each candidate."""
    symbol = element_of(solution, element)
    texts = {}
    for number, candidate in enumerate(candidates, 1):
        stem = file_name(number, candidate)
        texts[f"{stem}.xyz"] = xyz_of(candidate, symbol)
        texts[f"{stem}.cif"] = cif_of(candidate, symbol)
    texts["fit.csv"] = fit_csv(solution, candidates[0])
    texts["report.html"] = page_of(name, solution, candidates, verdict, opinion)
    texts["result.json"] = json_of(solution, candidates, verdict, opinion)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            write_text(folder / file, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", where=str(folder)) from error
