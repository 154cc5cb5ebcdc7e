"""The contract between the pipeline and an inverse problem: what a problem declares, plans and shows.

The pipeline plans, makes, keeps and shows data sets without knowing what they are of. All that it has to know is asked
of a `Problem`. To add one: a folder of `dsfu.pipeline.problems`, see docs/architecture.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast

from dsfu.panels import Panel
from dsfu.pipeline.kinds import Kind, catalogued, noun_of
from dsfu.pipeline.making import Arrays
from dsfu.pipeline.manifest.loaded import LoadedManifest
from dsfu.pipeline.manifest.model import Manifest
from dsfu.pipeline.specs import ShardSpec
from dsfu.pipeline.store.contents import Origin, StoreContents
from dsfu.pipeline.store.plain_contents import plain_contents
from dsfu.simulate.fields import Field
from dsfu.words import count
from dsfu.yaml.document import KeyPath

M = TypeVar("M", bound=Manifest)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What a manifest declares, for ``validate``: plain values for programs, and the same in lines for people."""

    values: Mapping[str, Any]
    rows: Sequence[str]


class Shards(Protocol):
    """All shards of a data set. A problem may keep in it whatever else follows from its manifest."""

    @property
    def specs(self) -> Sequence[ShardSpec]:
        """In the order of the store; what others need comes before them."""
        ...


class Problem(ABC, Generic[M]):
    """An inverse problem, as the pipeline sees it. One instance, ``PROBLEM``, in the module ``problem`` of its folder.

    Attributes
    ----------
    name
        What manifests call it, and what its folders are called.
    aliases
        What manifests called it before.
    is_default
        Whether it is what a manifest is of that names no problem. Only the oldest is.
    kinds
        Its kinds of shards, in the order of making.
    tables
        Groups of a closed store beside the splits.
    looks
        ``module:class`` of a `dsfu.pipeline.report.looks.Looks` of its own. By default stores are shown by their
        fields: quantities as histograms, samples as panels.
    labels
        Columns that only tell samples apart, such as a running number; no report shows how they are distributed.
    left_out
        What those samples do that are not to be used, in the plural.
    manifest
        What its manifest may say: its sections beside the keys that all manifests have.
    template
        A manifest to begin with, as text: small, and with a comment on everything that can be changed.
    """

    name: str
    aliases: tuple[str, ...] = ()
    is_default: ClassVar[bool] = False
    kinds: tuple[Kind, ...]
    tables: tuple[str, ...] = ()
    looks: str = ""
    labels: tuple[str, ...] = ()
    left_out: str = "fill up the last shard"

    @property
    @abstractmethod
    def manifest(self) -> type[M]: ...

    @property
    @abstractmethod
    def template(self) -> str: ...

    @abstractmethod
    def fields(self, settings: M | None) -> tuple[Field, ...]:
        """What the store holds of each sample. Names and types may not depend on the settings, shapes may."""

    def table_fields(self, settings: M | None) -> Mapping[str, tuple[Field, ...]]:
        """Columns of each table of the store, by the kind of shard that makes them."""
        return {}

    @property
    def columns(self) -> Sequence[str]:
        """Arrays of a split that are written by closing."""
        return [*(field.name for field in self.fields(None) if field.kept_as == "column"), "kept"]

    def files(self, value: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        """Files that a manifest names, by the path of the key. ``value`` is not checked yet."""
        return iter(())

    def check(self, loaded: LoadedManifest[M]) -> None:
        """Make sure, within a second, that what a manifest asks for can be made. Raises InputError if not."""
        return

    @abstractmethod
    def plan(self, loaded: LoadedManifest[M]) -> Shards:
        """All shards of a manifest, each with its key. Nothing is made, and nothing of a store is read."""

    def declared(self, shards: Any) -> Declared:
        """How much a manifest asks for. ``shards`` is what `plan` gave."""
        samples: dict[str, int] = {}
        others = {kind.name: 0 for kind in self.kinds if not kind.is_sample}
        for spec in shards.specs:
            if spec.kind in others:
                others[spec.kind] += spec.items
            else:
                samples[spec.split] = samples.get(spec.split, 0) + spec.items
        rows = [f"{split:<10} {count(number, 'sample')}" for split, number in samples.items()]
        rows += [count(number, noun_of(kind)) for kind, number in others.items()]
        splits = {split: {"samples": number} for split, number in samples.items()}
        return Declared(values={"splits": splits, **others}, rows=rows)

    def contents(self, loaded: LoadedManifest[M], shards: Any, complete: Collection[str]) -> StoreContents:
        """What closing makes of the shards that are complete, given by key. ``shards`` is what `plan` gave."""
        settings = loaded.manifest
        return plain_contents(
            self.origin(loaded),
            self.kinds,
            self.fields(settings),
            self.table_fields(settings),
            shards.specs,
            complete,
        )

    def origin(self, loaded: LoadedManifest[M]) -> Origin:
        """What a closed store says of its manifest."""
        from dsfu.pipeline.tasks import versions

        return Origin(
            problem=self.name,
            settings=loaded.manifest.to_dict(),
            manifest_text=loaded.text,
            # That of dsfu alone, so that stores do not differ by who made them; the ledger has the others.
            versions={"dsfu": versions()["dsfu"]},
        )

    def panels(self, sample: Mapping[str, Any], fields: Sequence[Field]) -> Sequence[Panel] | None:
        """What is shown of a sample, given by what the store holds of it; None for each of its arrays as it is."""
        return None

    def again(self, group: Any, split: str, index: int) -> Arrays:
        """One sample, computed from what the root group of a closed store holds, and not read."""
        raise NotImplementedError(f"samples of {self.name} are not computed again from a store")


def problem_called(name: str | None) -> Problem[Any]:
    """The problem that a manifest means: by its name or an older one; None is the one that needs no name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    return cast(Problem[Any], catalogued(name))
