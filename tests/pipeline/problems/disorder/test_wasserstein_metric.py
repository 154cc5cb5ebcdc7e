"""The metric ``wasserstein`` from a manifest to a closed store, compared with POT's distances of the stored planes."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr

from dsfu.errors import InputError
from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.wanted import what_is_wanted
from dsfu.simulate.disorder.selection import select_by_distances
from dsfu.simulate.disorder.transport import exact, transport_distances
from tests.pipeline.tiny import manifest_text, tiny

THRESHOLD = 0.05
CHOSEN = f"uniqueness: {{metric: wasserstein, threshold: {THRESHOLD}}}\n"


def values(split: zarr.Group, name: str) -> npt.NDArray[Any]:
    array = split[name]
    assert isinstance(array, zarr.Array)
    return np.asarray(array[...])


def test_both_decisions_are_in_the_store(tmp_path) -> None:
    wanted = what_is_wanted(parse_manifest(manifest_text(per_group=1) + CHOSEN))
    run_store(wanted, open_files(tmp_path / "store"), engine=InThisProcess, reporter=SilentReporter())
    split = zarr.open_group(tmp_path / "store/train", mode="r")
    assert split.attrs["uniqueness_metric"] == "wasserstein"
    columns = {
        name: values(split, name)
        for name in ("kept", "duplicate_of", "duplicate_distance", "candidate_of", "candidate_distance")
    }
    planes = wanted.loaded.manifest.planes_per_pair("train")
    intensity = values(split, "form_factor").astype(float) ** 2 * values(split, "sro").astype(float) ** 2
    removed = candidates = 0
    for first in range(0, len(intensity), planes):
        part = slice(first, first + planes)
        distances = transport_distances(intensity[part], exact, 15) * 16 / 15
        expected = select_by_distances(distances, THRESHOLD)
        # Codes of planes are rounded, so that distances from them are not those of the planes to the last digit.
        same = expected.kept == columns["kept"][part]
        assert same.mean() > 0.95
        both = ~expected.kept & ~columns["kept"][part]
        np.testing.assert_allclose(columns["duplicate_distance"][part][both], expected.distance[both], atol=3e-3)
        removed += (~columns["kept"][part]).sum()
        candidates += (columns["candidate_of"][part] >= 0).sum()
    assert 0 < removed < candidates < len(intensity)
    told = columns["candidate_of"] >= 0
    assert told[~columns["kept"]].all()
    assert columns["kept"][columns["candidate_of"][told]].all()
    assert (columns["candidate_of"][told] < np.flatnonzero(told)).all()
    assert (columns["candidate_distance"][told] < THRESHOLD).all()
    assert np.isnan(columns["candidate_distance"][~told]).all()


def test_other_metrics_and_their_keys_know_nothing_of_it() -> None:
    fields = {field.name for field in tiny().problem.fields(tiny().loaded.manifest)}
    assert not fields & {"candidate_of", "candidate_distance"}
    chosen = what_is_wanted(parse_manifest(manifest_text() + "uniqueness: {metric: wasserstein}\n"))
    before, after = ({spec.key for spec in each.specs} for each in (tiny(), chosen))
    assert {spec.kind for spec in chosen.specs if spec.key not in before} == {"planes"}
    assert len(before - after) == sum(spec.kind == "planes" for spec in chosen.specs)


def test_a_whole_split_is_not_compared_by_it() -> None:
    with pytest.raises(InputError, match=r"uniqueness\.scope: wasserstein takes too long(.|\n)*pair or none"):
        parse_manifest(manifest_text() + "uniqueness: {metric: wasserstein, scope: store}\n")
