"""Objects move between home and their places; whatever is killed, none is lost."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.pipeline.specs import LedgerEntry, StoredObject
from dsfu.pipeline.store.files import FileInfo, Files, crc32c
from dsfu.pipeline.store.placement import (
    PLACEMENT,
    DamagedPlacement,
    Placement,
    apply_moves,
    home_of,
    moves_to,
    plan_moves,
    read_placement,
)
from dsfu.pipeline.store.sealed import seal
from tests.pipeline.fake_store import PLACED_NAMES, placement_of

KEYS = [f"{number:032x}" for number in range(7)]

Arrangement = Mapping[str, Sequence[str]]


def locate(files: "MemoryFiles", placement: Placement, key: str, name: str) -> str:
    """Where an object is: at home, or at its place."""
    home, place = home_of(key, name), placement.path_of(key, name)
    return home if place is None or home in files.contents else place


class Killed(BaseException):
    """As if the process had been killed."""


class MemoryFiles:
    """Files in memory, of which only so many operations are done. Moves are a copy and a removal, as in S3, if torn."""

    is_local = True

    def __init__(self, torn_moves: bool) -> None:
        self.contents: dict[str, bytes] = {}
        self.torn_moves = torn_moves
        self.operations_left = 10**9

    def _operation(self) -> None:
        if self.operations_left == 0:
            raise Killed
        self.operations_left -= 1

    def read(self, path: str, *, at_most: int | None = None) -> bytes:
        if path not in self.contents:
            raise FileNotFoundError(path)
        return self.contents[path]

    def write(self, path: str, data: bytes) -> None:
        self._operation()
        self.contents[path] = data

    def move(self, source: str, target: str) -> None:
        self._operation()
        self.contents[target] = self.contents[source]
        if self.torn_moves:
            self._operation()
        del self.contents[source]

    def synchronise(self, paths: Iterable[str]) -> None:
        """Memory loses its power whole."""

    def remove(self, path: str) -> None:
        self._operation()
        self.contents.pop(path, None)

    def exists(self, path: str) -> bool:
        return path in self.contents

    def stat(self, path: str) -> FileInfo | None:
        return FileInfo(bytes=len(self.contents[path])) if path in self.contents else None

    def checksum(self, path: str) -> int:
        return crc32c(self.contents[path])

    def list(self, folder: str) -> Iterator[str]:
        return iter(sorted(path for path in self.contents if path.startswith(f"{folder}/")))


def as_files(files: MemoryFiles) -> Files:
    return cast(Files, files)


def data_of(key: str, name: str) -> bytes:
    return f"{name} of {key}".encode()


def entry_of(key: str) -> LedgerEntry:
    stored = {
        name: StoredObject(bytes=len(data_of(key, name)), crc32c=crc32c(data_of(key, name))) for name in PLACED_NAMES
    }
    return LedgerEntry(key=key, kind="planes", identity=key, inputs={}, items=1, objects=stored)


def make(files: MemoryFiles, key: str) -> None:
    for name in PLACED_NAMES:
        files.contents[home_of(key, name)] = data_of(key, name)


def settle(files: MemoryFiles, arrangement: Arrangement, known: Sequence[str] = KEYS) -> None:
    new = placement_of(arrangement)
    moves, placement = moves_to(as_files(files), new, lambda: [entry_of(key) for key in known])
    assert not moves.missing
    apply_moves(as_files(files), moves, placement)


def check_nothing_lost(files: MemoryFiles) -> None:
    placement = read_placement(as_files(files))
    for key in KEYS:
        for name in PLACED_NAMES:
            assert files.contents[locate(files, placement, key, name)] == data_of(key, name)


def check_settled(files: MemoryFiles, arrangement: Arrangement) -> None:
    """Each object is in one place, the right one, and nothing else is anywhere."""
    placement = placement_of(arrangement)
    expected = {
        placement.path_of(key, name) or home_of(key, name): (key, name) for key in KEYS for name in PLACED_NAMES
    }
    found = {path: data for path, data in files.contents.items() if path != PLACEMENT}
    assert found == {path: data_of(*item) for path, item in expected.items()}


@st.composite
def arrangements(draw: st.DrawFn) -> Arrangement:
    """Some of the keys in any order, divided between two splits."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    cut = draw(st.integers(0, len(keys)))
    return {"train": keys[:cut], "validation": keys[cut:]}


@given(st.lists(st.tuples(arrangements(), st.integers(0, 40)), min_size=1, max_size=5), arrangements(), st.booleans())
def test_nothing_is_lost_wherever_it_is_killed(
    interrupted: list[tuple[Arrangement, int]], last: Arrangement, torn_moves: bool
):
    files = MemoryFiles(torn_moves)
    for key in KEYS:
        make(files, key)
    for arrangement, operations in interrupted:
        files.operations_left = operations
        try:
            settle(files, arrangement)
        except Killed:
            pass
        else:
            check_settled(files, arrangement)
        check_nothing_lost(files)
    files.operations_left = 10**9
    settle(files, last)
    check_settled(files, last)


@given(arrangements(), st.booleans())
def test_what_is_right_is_left_alone(arrangement: Arrangement, torn_moves: bool):
    files = MemoryFiles(torn_moves)
    for key in KEYS:
        make(files, key)
    settle(files, arrangement)
    files.operations_left = 0
    settle(files, arrangement)


@given(arrangements(), arrangements(), st.sampled_from([None, b"", b"{", b'{"checksum":1,"sealed":{"arrays":{}}}\n']))
def test_objects_are_recognised_where_the_placement_is_lost(
    before: Arrangement, after: Arrangement, damaged: bytes | None
):
    files = MemoryFiles(torn_moves=False)
    for key in KEYS:
        make(files, key)
    settle(files, before)
    if damaged is None:
        files.contents.pop(PLACEMENT, None)
    else:
        files.contents[PLACEMENT] = damaged
    settle(files, after)
    check_settled(files, after)


def test_an_object_made_again_replaces_the_one_in_place():
    files = MemoryFiles(torn_moves=False)
    make(files, KEYS[0])
    settle(files, {"train": KEYS[:1]}, KEYS[:1])
    place = placement_of({"train": KEYS[:1]}).path_of(KEYS[0], "sro")
    assert place is not None
    files.contents[place] = b"damaged"
    make(files, KEYS[0])
    settle(files, {"train": KEYS[:1]}, KEYS[:1])
    assert files.contents[place] == data_of(KEYS[0], "sro")


def test_a_lost_object_is_missed_before_anything_moves():
    files = MemoryFiles(torn_moves=False)
    for key in KEYS:
        make(files, key)
    settle(files, {"train": KEYS[:4]})
    placement = placement_of({"train": KEYS[:4]})
    del files.contents[placement.path_of(KEYS[1], "sro") or ""]
    new = placement_of({"train": KEYS[3::-1]})
    moves, _ = moves_to(as_files(files), new, lambda: [entry_of(key) for key in KEYS])
    assert moves.missing == [(KEYS[1], "sro")]


def test_files_that_nobody_owns_are_leftovers():
    files = MemoryFiles(torn_moves=False)
    make(files, KEYS[0])
    files.contents |= {"train/sro/c/5/0/0": b"?", "train/sro/c/0/0/0": b"?", "validation/sro/c/7/0/0": b"?"}
    settle(files, {"train": KEYS[:1]}, KEYS[:1])
    assert sorted(files.contents) == [PLACEMENT, "train/form_factor/c/0/0/0", "train/sro/c/0/0/0"]
    assert files.contents["train/sro/c/0/0/0"] == data_of(KEYS[0], "sro")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", seal({}), seal({"arrays": 3}), seal({"arrays": {"a": 1}})]
)
def test_damage_of_the_placement_is_found(data: bytes):
    with pytest.raises(DamagedPlacement):
        Placement.from_bytes(data)


@given(arrangements(), st.data())
def test_any_changed_byte_of_the_placement_is_found(arrangement: Arrangement, data: Any):
    placement = placement_of(arrangement)
    written = bytearray(placement.to_bytes())
    index = data.draw(st.integers(0, len(written) - 1))
    written[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedPlacement):
        Placement.from_bytes(bytes(written))


def test_plans_stay_small_in_effort():
    """Ten thousand pairs that keep their places need no move."""
    keys = [f"{number:032x}" for number in range(10_000)]
    placement = placement_of({"train": keys})
    moves = plan_moves(placement, placement, {path for _, path in placement.items()})
    assert not any((moves.back, moves.forth, moves.leftovers, moves.missing))
