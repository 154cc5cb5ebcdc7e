"""Files that are broken, or made to do harm: an InputError, no hang, no memory taken."""

import os
import random
import resource
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsfu.errors import InputError
from dsfu.model.measured.data.reconstruction import Reconstruction
from dsfu.model.measured.readers import sounding
from dsfu.model.measured.readers.plane_files import write_planes
from dsfu.model.measured.readers.reading import read
from tests.model.measured.readers import true_files as true
from tests.model.measured.readers.test_plane_files import measured
from tests.model.measured.readers.true_files import SHAPE, intensity


@cache
def true_bytes() -> dict[str, bytes]:
    """A file of each format, whole."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        np.savez_compressed(folder / "a.npz", intensity=intensity(), origin=true.ORIGIN, steps=true.STEPS)
        np.save(folder / "a.npy", intensity())
        write_planes(folder / "planes.h5", [measured(16)])
        paths = {
            "yell": true.write_yell(folder / "a.h5"),
            "mantid": true.write_mantid(folder / "a.nxs"),
            "mdx2": true.write_mdx2(folder / "b.nxs", crystal=True),
            "planes": folder / "planes.h5",
            "npz": folder / "a.npz",
            "npy": folder / "a.npy",
        }
        return {kind: path.read_bytes() for kind, path in paths.items()}


KINDS = ("yell", "mantid", "mdx2", "planes", "npz", "npy")


def outcome(content: bytes) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            found = read(path)
        except InputError as error:
            return "refused" if str(path) in str(error) else str(error)
        return "read" if isinstance(found, Reconstruction) else repr(found)


@settings(max_examples=30)
@given(st.sampled_from(KINDS), st.floats(0, 1, exclude_max=True))
def test_truncated_files(kind: str, share: float):
    whole = true_bytes()[kind]
    assert outcome(whole[: int(share * len(whole))]) == "refused"


@settings(max_examples=40)
@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(1, 60), st.booleans())
def test_flipped_bytes(kind: str, seed: int, flips: int, in_header: bool):
    content, dice = bytearray(true_bytes()[kind]), random.Random(seed)
    for _ in range(flips):
        content[dice.randrange(min(len(content), 4096) if in_header else len(content))] = dice.choice(
            (0, 1, 255, dice.randrange(256))
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sounding, "_CPU_SECONDS", 1)
        assert outcome(bytes(content)) in ("read", "refused")


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_are_read(kind: str):
    assert outcome(true_bytes()[kind]) == "read"


def _forever(root: Any) -> None:
    while True:
        pass


def _crash(root: Any) -> None:
    os.abort()


@pytest.mark.parametrize(("visit", "message"), [(_forever, "does not come to an end"), (_crash, "crashes on it")])
def test_what_the_library_does_to_a_child_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visit: Callable[[Any], None], message: str
):
    monkeypatch.setattr(sounding, "_visit", visit)
    monkeypatch.setattr(sounding, "_CPU_SECONDS", 1)
    with pytest.raises(InputError, match=message):
        read(true.write_yell(tmp_path / "a.h5"))


def test_a_child_that_only_waits_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sounding, "_visit", lambda root: time.sleep(60))
    monkeypatch.setattr(sounding, "_WALL_SECONDS", 0.2)
    assert read(true.write_yell(tmp_path / "a.h5")).shape == SHAPE


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.full(SHAPE, np.nan), "all are NaN"),
        (np.zeros(SHAPE), "zero everywhere"),
        (np.ones(SHAPE, complex), "complex"),
        (np.ones((3, 3, 3, 3)), "has shape"),
        (np.ones(7), "has shape"),
        (np.array(3.0), "has shape"),
        (np.ones((1, 1, 1)), "has shape"),
        (np.array([["a", "b"]], "S3"), "holds text"),
        (np.ones((2, 2), [("a", "f4")]), "holds records"),
        (h5py.Empty("f4"), "is empty"),
        (np.zeros((0, 3, 3)), "has shape"),
    ],
)
def test_data_that_are_no_intensities(tmp_path: Path, data: Any, message: str):
    with pytest.raises(InputError, match=message):
        read(true.write_yell(tmp_path / "a.h5", data=data))


def test_objects_and_groups_for_data(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = np.array(["some", "text"], h5py.string_dtype())
        file["lower_limits"] = np.zeros(3)
    with pytest.raises(InputError, match="objects of Python"):
        read(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_group("data")
        file["lower_limits"], file["step_sizes"] = np.zeros(3), np.ones(3)
    with pytest.raises(InputError, match="/data: is a group"):
        read(tmp_path / "b.h5")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metric_tensor": np.full((3, 3), np.nan)}, "not a metric tensor"),
        ({"metric_tensor": -np.eye(3)}, "not a metric tensor"),
        ({"metric_tensor": [[1, 9, 0], [9, 1, 0], [0, 0, 1]]}, "not a metric tensor"),
        ({"metric_tensor": [[1, 2, 0], [0, 1, 0], [0, 0, 1]]}, "not a metric tensor"),
        ({"metric_tensor": np.zeros((3, 3))}, "not a metric tensor"),
        ({"metric_tensor": np.ones(4)}, "holds 4 numbers"),
        ({"metric_tensor": None, "unit_cell": [5, 6, np.nan, 90, 90, 90]}, "unit_cell: cell length c"),
        ({"metric_tensor": None, "unit_cell": [5, 6, 7, 0, 90, 90]}, "cell angle alpha"),
        ({"step_sizes": [0.1, 0, 0.1]}, "none of them 0"),
        ({"step_sizes": [0.1, np.nan, 0.1]}, "finite numbers"),
        ({"step_sizes": [0.1, 0.1]}, "holds 2 numbers"),
        ({"step_sizes": [1e300, 0.1, 0.1]}, "hkl within"),
        ({"step_sizes": [1e-12, 0.1, 0.1]}, "none of them 0"),
        ({"lower_limits": [np.inf, 0, 0]}, "finite numbers"),
        ({"lower_limits": "-5 -5 -5"}, "holds objects|holds text"),
        ({"format": "Yale 1.0"}, "format is 'Yale 1.0'"),
        ({"format": 1.0}, "expected: text"),
        ({"is_direct": [False, False]}, "holds 2 numbers"),
    ],
)
def test_geometry_that_makes_no_sense(tmp_path: Path, changes: dict[str, Any], message: str):
    with pytest.raises(InputError, match=message):
        read(true.write_yell(tmp_path / "a.h5", **changes))


def peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((1500, 1500, 1500), {}, "12.6 GiB"),  # nothing is allocated: the file is tiny
        ((1500, 1500, 1500), {"chunks": (100, 100, 100), "fillvalue": 1.0}, "12.6 GiB"),
        ((600, 600, 600), {"chunks": (100, 100, 100), "fillvalue": 1.0}, "nothing was written"),
        ((400, 400), {"chunks": (100, 100), "fillvalue": 1.0}, "nothing was written"),
        ((10, 10, 10), {"chunks": (1 << 10, 1 << 10, 1 << 9), "maxshape": (None,) * 3}, "nothing was written"),
    ],
)
def test_declared_sizes_are_not_believed(tmp_path: Path, shape: tuple[int, ...], options: Any, message: str):
    with h5py.File(true.write_yell(tmp_path / "a.h5", data=None), "a") as file:
        file.create_dataset("data", shape=shape, dtype="f4", **options)
    assert (tmp_path / "a.h5").stat().st_size < 1 << 20
    before = peak_kib()
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.h5")
    assert peak_kib() - before < 200_000


def test_mostly_unwritten_volumes(tmp_path: Path):
    """One chunk of a volume of 0.8 GiB was written."""
    with h5py.File(true.write_yell(tmp_path / "a.h5", data=None), "a") as file:
        data = file.create_dataset("data", shape=(600, 600, 600), dtype="f4", chunks=(8, 8, 8), fillvalue=np.nan)
        data[0, 0, 0] = 1.0
    before = peak_kib()
    with pytest.raises(InputError, match=r"0.8 GiB in 2048 bytes(.|\n)*crop it"):
        read(tmp_path / "a.h5")
    assert peak_kib() - before < 200_000


def test_links_in_circles(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        entry = file.create_group("entry")
        entry["again"] = file["/"]
        entry["soft"] = h5py.SoftLink("/entry/soft")
        entry["other"] = h5py.SoftLink("/entry/more")
        entry["more"] = h5py.SoftLink("/entry/other")
        entry["out"] = h5py.ExternalLink("a.h5", "/entry/out")
    with pytest.raises(InputError, match="unknown kind"):
        read(tmp_path / "a.h5")
    for name in ("soft", "other", "out"):
        with pytest.raises(InputError, match="in a circle"):
            read(true_with_link(tmp_path / "b.h5", h5py.SoftLink(f"/entry/{name}"), tmp_path / "a.h5"))


def true_with_link(path: Path, link: Any, entry_of: Path) -> Path:
    with h5py.File(true.write_yell(path, data=None), "a") as file, h5py.File(entry_of) as other:
        other.copy("entry", file)
        file["data"] = link
    if "out" in h5py.File(path)["entry"]:
        with h5py.File(path, "a") as file:
            del file["entry/out"]
            file["entry/out"] = h5py.ExternalLink(path.name, "/entry/out")
    return path


@pytest.mark.parametrize("name", ["/etc/passwd", "../b.h5", "below/../../b.h5"])
def test_nothing_is_read_from_elsewhere(tmp_path: Path, name: str):
    folder = tmp_path / "here"
    folder.mkdir()
    true.write_yell(tmp_path / "b.h5")
    true.write_yell(folder / "a.h5", data=None)
    with h5py.File(folder / "a.h5", "a") as file:
        file["data"] = h5py.ExternalLink(name, "/data")
    with pytest.raises(InputError, match="lies elsewhere"):
        read(folder / "a.h5")
    true.write_yell(folder / "c.h5", data=None)
    with h5py.File(folder / "c.h5", "a") as file:
        file.create_dataset("data", SHAPE, "f4", external=[(name, 0, h5py.h5f.UNLIMITED)])
    with pytest.raises(InputError, match="other files, without a format"):
        read(folder / "c.h5")
    layout = h5py.VirtualLayout(SHAPE, "f4")
    layout[...] = h5py.VirtualSource(name, "data", SHAPE)
    true.write_yell(folder / "d.h5", data=None)
    with h5py.File(folder / "d.h5", "a") as file:
        file.create_virtual_dataset("data", layout)
    with pytest.raises(InputError, match="lies elsewhere"):
        read(folder / "d.h5")


@pytest.mark.parametrize("link", [h5py.SoftLink(b"/\xff\xfe"), h5py.ExternalLink(b"\xff.h5", b"/\xff")])
def test_links_whose_names_are_no_text(tmp_path: Path, link: Any):
    true.write_yell(tmp_path / "a.h5", data=None)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["data"] = link
        file[b"\xff\xfe\xfd"] = 1.0
    with pytest.raises(InputError, match=r"data is missing|which is not there"):
        read(tmp_path / "a.h5")


def test_links_and_virtual_data_in_the_same_folder(tmp_path: Path):
    true.write_yell(tmp_path / "b.h5")
    true.write_yell(tmp_path / "a.h5", data=None)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["data"] = h5py.ExternalLink("b.h5", "/data")
    assert read(tmp_path / "a.h5").shape == SHAPE
    layout = h5py.VirtualLayout(SHAPE, "f4")
    layout[...] = h5py.VirtualSource("b.h5", "data", SHAPE)
    true.write_yell(tmp_path / "c.h5", data=None)
    with h5py.File(tmp_path / "c.h5", "a") as file:
        file.create_virtual_dataset("data", layout)
    np.testing.assert_array_equal(read(tmp_path / "c.h5").intensity, intensity())


def test_thousands_of_groups_are_no_burden(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number in range(5000):
            file.create_group(f"g{number % 80}/{number}")
    before = time.process_time()
    with pytest.raises(InputError, match="unknown kind"):
        read(tmp_path / "a.h5")
    assert time.process_time() - before < 30


def test_infinite_and_negative_numbers_are_told(tmp_path: Path):
    data = intensity()
    data[5, 5, 5], data[6, 6, 6] = np.inf, -3
    found = read(true.write_yell(tmp_path / "a.h5", data=data))
    assert not found.live[5, 5, 5]
    assert found.live[6, 6, 6]
    assert "1 infinite" in found.notes[0]


def test_zeros_may_be_dead(tmp_path: Path):
    data = np.nan_to_num(intensity())
    data[6:] = 0
    path = true.write_yell(tmp_path / "a.h5", data=data)
    assert "exactly 0" in read(path).notes[0]
    found = read(path, zeros="dead")
    np.testing.assert_array_equal(found.live, data != 0)
    assert found.notes == ()


@pytest.mark.parametrize("kind", ["yell", "mantid", "mdx2", "planes"])
@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), 3, np.array(["a", "b"], object)])
def test_attributes_that_are_no_text_are_no_riddle(tmp_path: Path, kind: str, value: Any):
    """Found by a fuzz: a format that is an array had no truth value."""
    path = tmp_path / "a.h5"
    path.write_bytes(true_bytes()[kind])
    with h5py.File(path, "a") as file:
        holders: list[Any] = [file]
        file.visititems(lambda _, node: holders.append(node))
        for holder in holders:
            for name in [*holder.attrs, "dsfu_format", "NX_class", "signal"]:
                holder.attrs[name] = value
    assert outcome(path.read_bytes()) in {"read", "refused"}
