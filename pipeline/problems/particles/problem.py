"""Particles, behind the pipeline's contract: pair distribution functions of metal nanoparticles."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dsfu.panels import Panel
from dsfu.pipeline.kinds import Kind
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.problem import Declared, Problem
from dsfu.pipeline.problems.particles.planning import PDFS, SHAPES, ParticleShards
from dsfu.pipeline.problems.particles.settings import ParticlesManifest
from dsfu.pipeline.problems.particles.template import TEMPLATE
from dsfu.simulate.fields import Field
from dsfu.simulate.particles.fields import PDF_FIELD, SAMPLE_FIELDS, SHAPE_FIELDS
from dsfu.simulate.particles.sample_panels import sample_panels
from dsfu.words import count


class Particles(Problem[ParticlesManifest]):
    """Given a pair distribution function, the atoms of a nanoparticle are sought."""

    name = "particles"
    kinds: tuple[Kind, ...] = (SHAPES, PDFS)
    tables = ("shapes",)
    labels = ("shape", "draw")

    @property
    def manifest(self) -> type[ParticlesManifest]:
        return ParticlesManifest

    @property
    def template(self) -> str:
        return TEMPLATE

    def fields(self, settings: ParticlesManifest | None) -> tuple[Field, ...]:
        if settings is None:
            return (*SAMPLE_FIELDS, PDF_FIELD)
        return (*SAMPLE_FIELDS, replace(PDF_FIELD, shape=(settings.experiment.points,)))

    def table_fields(self, settings: ParticlesManifest | None) -> Mapping[str, tuple[Field, ...]]:
        if settings is None:
            return {SHAPES.name: SHAPE_FIELDS}
        *columns, positions = SHAPE_FIELDS
        return {SHAPES.name: (*columns, replace(positions, shape=(ParticleShards(settings=settings).most_atoms, 3)))}

    @property
    def columns(self) -> Sequence[str]:
        return [field.name for field in SAMPLE_FIELDS]

    def check(self, loaded: LoadedManifest[ParticlesManifest]) -> None:
        shards = ParticleShards(settings=loaded.manifest)
        if not shards.shapes:
            raise loaded.problem("shapes", "most_atoms", what="no shape is as small", expected="5 or more")
        if "train" not in shards.samples:
            raise loaded.problem("split", what="no sample is for training", expected="smaller shares, or more shapes")

    def plan(self, loaded: LoadedManifest[ParticlesManifest]) -> ParticleShards:
        return ParticleShards(settings=loaded.manifest)

    def declared(self, shards: ParticleShards) -> Declared:
        families = Counter(each.shape.family for each in shards.shapes)
        splits = {name: {"samples": len(numbers)} for name, numbers in shards.samples.items()}
        rows = [f"{name:<10} {count(len(numbers), 'sample')}" for name, numbers in shards.samples.items()]
        rows.append(
            f"{count(len(shards.shapes), 'shape')}: " + ", ".join(f"{n} {name}" for name, n in families.items())
        )
        return Declared(values={"splits": splits, "shapes": len(shards.shapes), "families": dict(families)}, rows=rows)

    def panels(self, sample: Mapping[str, Any], fields: Sequence[Field]) -> Sequence[Panel] | None:
        return sample_panels(sample)

    def again(self, group: Any, split: str, index: int) -> Arrays:
        from dsfu.pipeline.problems.particles.recompute import recomputed

        return recomputed(group, split, index)


PROBLEM = Particles()
