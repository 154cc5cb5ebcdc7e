import struct
from pathlib import Path

import numpy as np

from dsfu.simulate.structures.ccp4 import write_ccp4


def test_a_map_has_the_bytes_of_the_format(tmp_path: Path) -> None:
    """Read by the format's own table of words: sizes, mode, cell, order of axes, group and values."""
    density = np.random.default_rng(1).normal(size=(4, 6, 5))
    write_ccp4(tmp_path / "cell.ccp4", density, (8.0, 9.0, 10.0, 90.0, 100.0, 90.0))
    raw = (tmp_path / "cell.ccp4").read_bytes()
    words = struct.unpack("<10i", raw[:40])
    assert words[:4] == (4, 6, 5, 2)
    assert words[7:10] == (4, 6, 5)
    np.testing.assert_allclose(struct.unpack("<6f", raw[40:64]), (8, 9, 10, 90, 100, 90))
    assert struct.unpack("<3i", raw[64:76]) == (1, 2, 3)
    assert struct.unpack("<i", raw[88:92]) == (1,)
    assert raw[208:212] == b"MAP "
    # Columns run fastest, and they are x.
    values = np.frombuffer(raw[-4 * density.size :], "<f4").reshape(density.shape, order="F")
    np.testing.assert_array_equal(values, density.astype(np.float32))
    assert [each.name for each in tmp_path.iterdir()] == ["cell.ccp4"]
