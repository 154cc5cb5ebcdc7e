"""Where an object of a shard is, and how objects move so that being killed at any moment loses none of them.

The invariant: an object is at home, in ``objects/KEY/``, or, failing that, where ``placement.json`` says. Home wins, so
that what was made again, or what a copy that was not yet deleted left behind, never hides the good one.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Final, NamedTuple, Self

from dsfu.pipeline.kinds import depths_of_arrays
from dsfu.pipeline.specs import LedgerEntry, is_key
from dsfu.pipeline.store.files import Files
from dsfu.pipeline.store.parallel import for_each
from dsfu.pipeline.store.sealed import MOST_BYTES, Damaged, seal, unseal
from dsfu.simulate.fields import SPLITS

PLACEMENT: Final = "placement.json"
_PLACE: Final = re.compile(r"(?P<array>\w+/(?P<name>\w+))/c/(0|[1-9]\d{0,11})(?P<rest>(/0)*)", re.ASCII)
_USUAL_DEPTH: Final = 3
"""Dimensions of an array of pictures. It is not written down, so that placements are as they always were."""


class ObjectName(NamedTuple):
    """One object: the key of its shard, and its name within the shard."""

    key: str
    name: str


class DamagedPlacement(ValueError):
    """``placement.json`` is unreadable; the next closing mends it."""


def home_of(key: str, name: str) -> str:
    """Path at which an object is written, and to which it comes back."""
    return f"objects/{key[:2]}/{key}/{name}"


def place_in(array: str, index: int, depth: int = _USUAL_DEPTH) -> str:
    """Path of the Zarr shard number ``index`` of an array of so many dimensions, such as ``train/image``."""
    return f"{array}/c/{index}" + "/0" * (depth - 1)


def is_place(path: str) -> bool:
    """Whether a path is one at which an object can stand."""
    match = _PLACE.fullmatch(path)
    if match is None or match["array"] not in _every_array():
        return False
    return match["rest"].count("/") + 1 in depths_of_arrays()[match["name"]]


@cache
def _every_array() -> frozenset[str]:
    """Arrays in which objects are looked for, whatever ``placement.json`` says."""
    return frozenset(f"{split}/{name}" for split in SPLITS for name in depths_of_arrays())


@dataclass(frozen=True)
class Placement:
    """Which shard stands at which place of which array: keys in order, by the path of the array.

    ``depths`` are the numbers of dimensions of those arrays that do not have three.
    """

    arrays: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    depths: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unusual = {array: depth for array, depth in self.depths.items() if depth != _USUAL_DEPTH}
        object.__setattr__(self, "depths", unusual)

    def place(self, array: str, index: int) -> str:
        """Path of the Zarr shard number ``index`` of an array."""
        return place_in(array, index, self.depths.get(array, _USUAL_DEPTH))

    def items(self) -> Iterator[tuple[ObjectName, str]]:
        """Every object and the path of its place. An empty key is a place that nobody has."""
        for array, keys in self.arrays.items():
            name = _name_of(array)
            for index, key in enumerate(keys):
                if key:
                    yield ObjectName(key, name), self.place(array, index)

    @cached_property
    def _path_of(self) -> dict[ObjectName, str]:
        return dict(self.items())

    def path_of(self, key: str, name: str) -> str | None:
        """Place of an object in an array; None if it has none."""
        return self._path_of.get(ObjectName(key, name))

    def to_bytes(self) -> bytes:
        document: dict[str, Any] = {"arrays": {array: list(keys) for array, keys in self.arrays.items()}}
        if self.depths:
            document["depths"] = dict(self.depths)
        return seal(document)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        try:
            document = unseal(data)
            arrays = {array: tuple(keys) for array, keys in document["arrays"].items()}
            depths = {array: int(depth) for array, depth in document.get("depths", {}).items()}
        except (Damaged, KeyError, TypeError, AttributeError, ValueError) as error:
            raise DamagedPlacement(f"{PLACEMENT} is damaged ({error})") from error
        for array, keys in arrays.items():
            if array not in _every_array() or not all(
                key == "" or (isinstance(key, str) and is_key(key)) for key in keys
            ):
                raise DamagedPlacement(f"{PLACEMENT} is damaged (it names {array}, or keys, that no store has)")
        return cls(arrays, depths)


def read_placement(files: Files) -> Placement:
    """The placement of a store; an empty one where nothing has been placed yet."""
    try:
        return Placement.from_bytes(files.read(PLACEMENT, at_most=MOST_BYTES))
    except FileNotFoundError:
        return Placement()


@dataclass(frozen=True)
class Moves:
    """What takes a store from one placement to another.

    Attributes
    ----------
    back
        Objects that leave their place (from, to): home.
    forth
        Objects that go from home to their place; all that is at home after ``back``.
    leftovers
        Files at places where nobody stands any more.
    missing
        Objects that are neither at home nor at their place.
    """

    back: list[tuple[str, str]]
    forth: list[tuple[str, str]]
    leftovers: list[str]
    missing: list[ObjectName]


def plan_moves(old: Placement, new: Placement, present: Collection[str]) -> Moves:
    """Moves from ``old`` to ``new``, given which files there are. Right also after any part of them has been done."""
    back: list[tuple[str, str]] = []
    forth: list[tuple[str, str]] = []
    missing: list[ObjectName] = []
    at_home = set()
    for item, path in old.items():
        home = home_of(*item)
        if new.path_of(*item) != path and path in present and home not in present:
            back.append((path, home))
            at_home.add(home)
    for item, path in new.items():
        home = home_of(*item)
        if home in present or home in at_home:
            forth.append((home, path))
        elif old.path_of(*item) != path or path not in present:
            missing.append(item)
    used = {source for source, _ in back} | {path for _, path in new.items()}
    leftovers = sorted(path for path in present if not _is_home(path) and path not in used)
    return Moves(back, forth, leftovers, missing)


def moves_to(
    files: Files,
    new: Placement,
    entries: Callable[[], Iterable[LedgerEntry]],
    written: Collection[str] = (),
) -> tuple[Moves, Placement | None]:
    """Moves that bring a store to a placement, and what to write to ``placement.json`` for it (None: nothing).

    Files that closing itself will have ``written`` stand nowhere: what is a column of one problem may be called as an
    array of another.

    Where ``placement.json`` is damaged or lost, objects are recognised by size and checksum; ``entries``, all of the
    ledger, are asked for then only.
    """
    try:
        told = readable = read_placement(files)
    except DamagedPlacement:
        told, readable = Placement(), None
    present = present_files(files).difference(written)
    strangers = sorted(present - {path for _, path in told.items()} - {path for path in present if _is_home(path)})
    if strangers:
        told = _adopt(files, told, strangers, present, entries())
    return plan_moves(told, new, present), None if readable == new else new


def present_files(files: Files) -> set[str]:
    """Every file at home or at a place of an array. What has no name of ours is somebody else's, and not among them."""
    folders = ("objects", *(f"{array}/c" for array in sorted(_every_array())))
    return {path for folder in folders for path in files.list(folder) if _is_home(path) or is_place(path)}


def _adopt(
    files: Files, told: Placement, strangers: Iterable[str], present: Collection[str], entries: Iterable[LedgerEntry]
) -> Placement:
    """The placement with those strangers that are what some shard has lost."""
    owners: dict[tuple[str, int, int], list[str]] = defaultdict(list)
    for entry in entries:
        for name, stored in entry.objects.items():
            if home_of(entry.key, name) not in present and told.path_of(entry.key, name) not in present:
                owners[name, stored.bytes, stored.crc32c].append(entry.key)
    arrays = {array: dict(enumerate(keys)) for array, keys in told.arrays.items()}
    depths = dict(told.depths)
    for path in strangers:
        array, index, depth = _parse_place(path)
        info = files.stat(path)
        candidates = owners.get((_name_of(array), info.bytes, files.checksum(path)), []) if info else []
        if candidates:
            key = candidates.pop(0)
            before = told.path_of(key, _name_of(array))
            if before is not None:
                former, place, _ = _parse_place(before)
                arrays[former][place] = ""
            arrays.setdefault(array, {})[index] = key
            depths[array] = depth
    return Placement(
        {array: tuple(keys.get(i, "") for i in range(max(keys, default=-1) + 1)) for array, keys in arrays.items()},
        depths,
    )


def _is_home(path: str) -> bool:
    return path.startswith("objects/")


def _name_of(array: str) -> str:
    return array.rpartition("/")[2]


def _parse_place(path: str) -> tuple[str, int, int]:
    """The array of a place, its number in it, and how many dimensions the array has."""
    array, _, rest = path.partition("/c/")
    return array, int(rest.partition("/")[0]), rest.count("/") + 1


def apply_moves(files: Files, moves: Moves, placement: Placement | None) -> None:
    """Bring back, write the new placement (None: the one there is stays), put in place.

    In this order, which is what keeps the invariant, also through a loss of power: each step is safely on the disk
    before the next begins.
    """
    _move_all(files, moves.back)
    if placement is not None:
        files.write(PLACEMENT, placement.to_bytes())
    _move_all(files, moves.forth)
    for_each(files, files.remove, moves.leftovers)


def _move_all(files: Files, moves: Sequence[tuple[str, str]]) -> None:
    for_each(files, lambda move: files.move(*move), moves)
    files.synchronise(path for move in moves for path in move)
