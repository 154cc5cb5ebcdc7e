"""Everything that an analysis of a volume leaves in a folder."""

from pathlib import Path
from typing import Final

from dsfu.files import write_text
from dsfu.model.measured.order.result import SroRefinement
from dsfu.model.measured.order.tables import as_json
from dsfu.model.measured.volume.files import verdict_text, write_volume_factors
from dsfu.model.measured.volume.report import write_volume_report
from dsfu.model.measured.volume.solve import VolumeSolution
from dsfu.model.measured.volume.verdict import VolumeVerdict

FILES: Final = ("report.html", "factors.h5", "sro.json", "verdict.json")


def write_analysis(folder: Path, solution: VolumeSolution, verdict: VolumeVerdict, refinement: SroRefinement) -> None:
    """Write `FILES` into a folder that is there, each whole or not at all."""
    order = as_json([refinement], recommended=0, verdict=verdict.judgement)
    write_text(folder / "sro.json", order)
    write_text(folder / "verdict.json", verdict_text(solution, verdict))
    write_volume_factors(folder / "factors.h5", solution, verdict, order)
    write_volume_report(folder / "report.html", solution, verdict, refinement)
