"""Crystals of data sets: nothing in common between splits and shards, and the same whoever makes them."""

import numpy as np
import pytest

from dsfu.simulate.densities.crystals import UnitCell
from dsfu.simulate.densities.samples import (
    SYSTEMS,
    CrystalDrawing,
    SplitBy,
    anonymous_text,
    draw,
    formula_text,
    stored_pattern,
    types_of,
)
from dsfu.simulate.densities.structure_types import shipped_types
from dsfu.simulate.densities.substitutions import SHORTEST, shortest_distance

CUBIC = types_of(("cubic",), 32)


def drawing(split: str, shard: int = 0, shards: int = 1, split_by: SplitBy = "formula") -> CrystalDrawing:
    return CrystalDrawing(seed=3, kinds=CUBIC, split_by=split_by, split=split, shard=shard, shards=shards)


def formulas(made: list[tuple[int, UnitCell]]) -> set[tuple[str, int]]:
    found = set()
    for row, crystal in made:
        counts = dict(zip(*np.unique(crystal.numbers, return_counts=True), strict=True))
        found.add((formula_text(counts), shipped_types()[row].number))
    return found


def test_shards_and_splits_have_no_formula_in_common() -> None:
    made = [draw(drawing("train", shard, 3), 30) for shard in range(3)] + [draw(drawing("test"), 30)]
    sets = [formulas(each) for each in made]
    assert [len(each) for each in sets] == [30] * 4
    assert len(set.union(*sets[:3])) == 90
    assert not {formula for formula, _ in set.union(*sets[:3])} & {formula for formula, _ in sets[3]}


@pytest.mark.parametrize("split_by", ["type", "anonymous formula"])
def test_types_are_held_out(split_by: SplitBy) -> None:
    rows = {split: {row for row, _ in draw(drawing(split, split_by=split_by), 40)} for split in ("train", "test")}
    told = {
        split: {shipped_types()[row].name if split_by == "type" else anonymous_text(shipped_types()[row].composition)
                for row in each}
        for split, each in rows.items()
    }  # fmt: skip
    assert told["train"]
    assert told["test"]
    assert not told["train"] & told["test"]


def test_crystals_are_as_declared_and_the_same_again() -> None:
    made, again = draw(drawing("train"), 20), draw(drawing("train"), 20)
    for (row, crystal), (_, same) in zip(made, again, strict=True):
        low, high = SYSTEMS["cubic"]
        assert low <= shipped_types()[row].number <= high
        assert crystal.parameters == pytest.approx([crystal.parameters[0]] * 3 + [90] * 3, rel=1e-9)
        assert shortest_distance(crystal) >= SHORTEST
        assert len(crystal.numbers) <= 32
        np.testing.assert_array_equal(crystal.positions, same.positions)
    pattern = stored_pattern(made[0][1])
    assert (pattern.max(), pattern.shape) == (10_000, (1024,))


def test_what_cannot_be_had_ends() -> None:
    """One type of two elements gives some thousand formulas; more are asked for."""
    only = CrystalDrawing(seed=1, kinds=CUBIC[:1], split_by="type", split="test", shard=0, shards=1)
    assert len(draw(only, 5)) in (0, 5)  # the type belongs to the split, or not
    few = CrystalDrawing(seed=1, kinds=(), split_by="formula", split="train", shard=0, shards=1)
    assert draw(few, 5) == []
