"""What kinds of shards there are, of every problem that is installed, and how the problems are found.

A problem is a folder of `dsfu.pipeline.problems` with a module ``problem`` in which ``PROBLEM`` is an instance of
`dsfu.pipeline.problem.Problem`. One that is somebody else's is announced by an entry point of the group
``dsfu.problems`` that names such an instance.
"""

import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final, Protocol

from dsfu.errors import InputError, near_miss
from dsfu.pipeline import problems
from dsfu.simulate.fields import SPLITS

ENTRY_POINTS: Final = "dsfu.problems"

RECORD: Final = "record.npz"
"""The object that holds all of a shard but what is kept as an array of the store."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of shard: what it holds, how it is made, and what it costs.

    Attributes
    ----------
    name
        What it is called in identities and in the ledger: ``images``.
    noun
        One of its items, for people: ``image``.
    words
        All of it, in a heading: ``short-range order``.
    science
        Version of what is computed, raised by hand when the numbers change, and only then: it belongs into the inputs
        of every shard of the kind. Reformatting or speeding up a kernel raises nothing.
    make
        What makes one, as ``module:function``; loaded by workers only. See `dsfu.pipeline.problem.Maker`.
    seconds_per_item, bytes_per_item
        First guesses; what the ledger has measured replaces them. Of bytes none is needed where every shard declares
        its own (`dsfu.pipeline.specs.ShardSpec.bytes_expected`).
    kernels, seconds_to_compile
        A module of its kernels that nothing else uses, and what the first one takes more where they are not compiled
        yet.
    record
        Name of the object that holds its columns.
    arrays
        Which of the arrays that it makes become Zarr shards of the store's arrays: name and number of dimensions, that
        of samples included.
    compressions
        How some of these are compressed, by name: see `dsfu.pipeline.store.shard_format.COMPRESSIONS`.
    is_sample
        Whether its items are the samples of the data set.
    """

    name: str
    noun: str
    words: str
    science: int
    make: str
    seconds_per_item: float
    bytes_per_item: int = 0
    kernels: str = ""
    seconds_to_compile: float = 0.0
    record: str = RECORD
    arrays: Mapping[str, int] = field(default_factory=dict)
    compressions: Mapping[str, str] = field(default_factory=dict)
    is_sample: bool = False

    def compression_of(self, array: str) -> str:
        """How one of its arrays is compressed."""
        return self.compressions.get(array, "pictures")

    def maker(self) -> Callable[..., Mapping[str, Any]]:
        """The function that makes one."""
        module, _, name = self.make.partition(":")
        function: Callable[..., Mapping[str, Any]] = getattr(import_module(module), name)
        return function


class Catalogued(Protocol):
    """So much of a problem as is known before a manifest is read.

    Attributes
    ----------
    name, aliases
        What manifests call it, and called it before.
    kinds
        Its kinds of shards.
    tables
        Groups of a closed store beside its splits.
    columns
        Arrays of a split that are written by closing.
    is_default
        Whether it is what a manifest is of that names no problem.
    manifest
        What its manifest may say: a model of pydantic.
    """

    name: str
    aliases: tuple[str, ...]
    is_default: bool
    kinds: tuple[Kind, ...]
    tables: tuple[str, ...]

    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def manifest(self) -> type[Any]: ...

    def files(self, value: Mapping[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Files that a manifest names, by the path of the key. ``value`` is not checked yet."""
        ...


@cache
def every_problem() -> Mapping[str, Catalogued]:
    """All problems that are installed, by name."""
    found: dict[str, Catalogued] = {}
    for each in _found():
        if each.name in found:
            raise InputError(
                f"two problems that are installed are called {each.name}",
                expected="a name that no other problem has",
                remedy="uninstall one of the packages that announce it, or rename its problem",
            )
        found[each.name] = each
    return dict(sorted(found.items()))


def _found() -> Iterator[Catalogued]:
    for module in pkgutil.iter_modules(problems.__path__):
        if module.ispkg:
            yield import_module(f"{problems.__name__}.{module.name}.problem").PROBLEM
    for point in entry_points(group=ENTRY_POINTS):
        yield point.load()


def catalogued(name: str | None) -> Catalogued:
    """The problem of a name, or of an older one; of None, the one that needs no name. InputError if there is none."""
    for problem in every_problem().values():
        if problem.is_default if name is None else name in (problem.name, *problem.aliases):
            return problem
    near = near_miss(str(name), [each for one in every_problem().values() for each in (one.name, *one.aliases)])
    raise InputError(
        f"there is no problem called {name}",
        expected=" or ".join(every_problem()),
        remedy=f"did you mean {near}?" if near else "one that is somebody else's has to be installed here, too",
    )


@cache
def every_kind() -> Mapping[str, Kind]:
    """All kinds of shards, by name. InputError if two problems have one of the same name: keys would not tell them."""
    return kinds_of(every_problem().values())


def kinds_of(owning: Iterable[Catalogued]) -> Mapping[str, Kind]:
    """The kinds of shards of some problems, by name."""
    found: dict[str, Kind] = {}
    owners: dict[str, str] = {}
    for problem in owning:
        for kind in problem.kinds:
            if kind.name in found:
                raise InputError(
                    f"{owners[kind.name]} and {problem.name} both have a kind of shard called {kind.name}",
                    expected="names of kinds that no other problem has",
                    remedy=f"give it another name in the kinds of {problem.name}, or uninstall one of the two problems",
                )
            found[kind.name], owners[kind.name] = kind, problem.name
    return found


def noun_of(kind: str) -> str:
    """One item of a kind of shard, for people; ``item`` of a kind that is not known here."""
    return every_kind()[kind].noun if kind in every_kind() else "item"


def is_sample(kind: str) -> bool:
    """Whether the items of a kind of shard are samples; not those of a kind that is not known here."""
    return kind in every_kind() and every_kind()[kind].is_sample


def words_of(kind: str) -> str:
    """All of a kind of shard, in a heading."""
    return every_kind()[kind].words if kind in every_kind() else kind


@cache
def depths_of_arrays() -> Mapping[str, frozenset[int]]:
    """Objects that become part of an array of the store, with its dimensions' number; the others stay at home.

    Two problems may have arrays of one name that differ in it.
    """
    found: dict[str, frozenset[int]] = {}
    for kind in every_kind().values():
        for name, depth in kind.arrays.items():
            found[name] = found.get(name, frozenset()) | {depth}
    return found


def every_group() -> tuple[str, ...]:
    """Every group that a closed store can have."""
    return tuple(dict.fromkeys(group for problem in every_problem() for group in groups_of(problem)))


def groups_of(problem: str) -> tuple[str, ...]:
    """Every group that a closed store of a problem can have."""
    return (*SPLITS, *every_problem()[problem].tables)


@cache
def every_object() -> frozenset[str]:
    """Names of all objects that a shard can have."""
    return frozenset({*depths_of_arrays(), *(kind.record for kind in every_kind().values())})


def every_array_of_splits() -> frozenset[str]:
    """Paths of all arrays that a split of a closed store can have: ``train/cell``."""
    return frozenset().union(*map(arrays_of_splits, every_problem()))


@cache
def arrays_of_splits(problem: str) -> frozenset[str]:
    """Paths of all arrays that a split of a closed store of a problem can have: ``train/cell``."""
    declared = every_problem()[problem]
    names = [*declared.columns, *(name for kind in declared.kinds for name in kind.arrays)]
    return frozenset(f"{split}/{name}" for split in SPLITS for name in names)
