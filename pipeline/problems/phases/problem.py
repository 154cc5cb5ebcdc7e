"""The phase problem, behind the pipeline's contract: |F|² on a grid of hkl, and the density of the cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from dsfu.panels import Panel
from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.problem import Problem
from dsfu.pipeline.problems.phases.kinds import CRYSTALS
from dsfu.pipeline.problems.phases.planning import PhasesShards, grid_of, shards_of
from dsfu.pipeline.problems.phases.settings import PhasesManifest
from dsfu.pipeline.problems.phases.template import TEMPLATE
from dsfu.simulate.fields import Field
from dsfu.simulate.phases.fields import GRID_FIELDS, PARAMETER_FIELDS
from dsfu.yaml.document import KeyPath


class PhasesProblem(Problem[PhasesManifest]):
    """Given moduli of structure factors, the density of the cell is sought."""

    name = "phases"
    labels = ("number",)
    kinds: tuple[Kind, ...] = (CRYSTALS,)

    @property
    def manifest(self) -> type[PhasesManifest]:
        return PhasesManifest

    @property
    def template(self) -> str:
        return TEMPLATE

    def fields(self, settings: PhasesManifest | None) -> tuple[Field, ...]:
        if settings is None:
            return (*PARAMETER_FIELDS, *GRID_FIELDS)
        most, n = settings.crystals.atoms[1], settings.grid.n
        shapes = {"numbers": (most,), "positions": (most, 3), "b_iso": (most,)}
        columns = [replace(field, shape=shapes.get(field.name, field.shape)) for field in PARAMETER_FIELDS]
        grids = [replace(field, shape=(n, n, n)) for field in GRID_FIELDS] if settings.storage.grids else []
        return (*columns, *grids)

    def files(self, value: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        crystals = value.get("crystals")
        if isinstance(crystals, dict) and isinstance(crystals.get("file"), str):
            yield ("crystals", "file"), crystals["file"]

    def check(self, loaded: LoadedManifest[PhasesManifest]) -> None:
        from dsfu.pipeline.problems.phases.checking import check_possible

        check_possible(loaded)

    def plan(self, loaded: LoadedManifest[PhasesManifest]) -> PhasesShards:
        return shards_of(loaded)

    def panels(self, sample: Mapping[str, Any], fields: Sequence[Field]) -> Sequence[Panel] | None:
        from dsfu.simulate.phases.sample_panels import sample_panels

        return sample_panels(sample)

    def again(self, group: Any, split: str, index: int) -> Arrays:
        from dsfu.pipeline.problems.phases.makers import grids_of
        from dsfu.simulate.phases.samples import PhaseSettings

        settings = parse_manifest(str(group.attrs["manifest"])).manifest
        names = [field.name for field in PARAMETER_FIELDS]
        row = {name: np.asarray(group[f"{split}/{name}"][index]) for name in names}
        return grids_of(row, PhaseSettings(**grid_of(settings)), settings.seed)


PROBLEM: Final = PhasesProblem()
