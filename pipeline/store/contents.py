"""What closing has to make of the shards that are there: asked of a problem, which knows what its tables are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dsfu.pipeline.store.arrays import ZarrGroup
from dsfu.pipeline.store.files import Files


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a closed store says of its manifest.

    Attributes
    ----------
    problem
        Name of the problem.
    settings
        All settings of the manifest, defaults included.
    manifest_text
        The manifest, word by word.
    versions
        Of what closed the store.
    """

    problem: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    manifest_text: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Everything that a closed store holds beside the arrays that workers wrote.

    Attributes
    ----------
    groups
        By name, splits first.
    samples
        For each split, how many ``samples`` it has, how many of them are ``kept``, and of how many parts it is made
        (``shards``, or what the problem calls them).
    """

    groups: Mapping[str, ZarrGroup]
    samples: Mapping[str, Mapping[str, int]]


class StoreContents(ABC):
    """Everything that a closed store holds, in order. Plain data, built by a run from plan, manifest and ledger."""

    @property
    @abstractmethod
    def origin(self) -> Origin:
        """What the store says of its manifest."""

    @property
    @abstractmethod
    def split_names(self) -> Sequence[str]:
        """Splits that have at least one shard, and so a group in the store."""

    @property
    @abstractmethod
    def materialised(self) -> bool:
        """Whether the store has arrays that workers wrote, or parameters only."""

    @abstractmethod
    def placed(self) -> Mapping[str, Sequence[str]]:
        """Keys of the shards whose objects make up an array, in order, by the path of the array: ``train/image``."""

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """Keys of every complete shard that the store is made of: of samples and of tables."""

    @abstractmethod
    def tables(self, files: Files) -> Tables:
        """All groups, from what the shards recorded. Raises DamagedRecord if that is not what it should be."""

    @abstractmethod
    def digest(self) -> str:
        """The same for contents that make the same store."""
