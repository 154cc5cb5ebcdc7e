"""New HDF5 files on a disk that takes no more."""

import subprocess
import sys
from pathlib import Path

import h5py

PROGRAM = """
import resource, sys
import numpy as np
from dsfu.model.measured.data.new_hdf5 import new_hdf5
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with new_hdf5(sys.argv[1]) as file:
        file["data"] = np.arange(100_000.0)
except OSError as error:
    print(error.filename)
"""


def test_a_disk_that_takes_no_more_is_told_and_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "a.h5"
    path.write_text("mine")
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, str(path), "")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_what_was_put_into_it(tmp_path: Path):
    from dsfu.model.measured.data.new_hdf5 import new_hdf5

    with new_hdf5(tmp_path / "a.h5") as file:
        file["x/y"] = [1, 2, 3]
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["x/y"][()].tolist() == [1, 2, 3]
