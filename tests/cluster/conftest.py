"""A SLURM for the tests of a session, where it can be had."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.slurm_here import SlurmHere, why_not


@pytest.fixture(scope="session")
def slurm_of_session() -> Iterator[SlurmHere]:
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="dsfu-slurm-") as folder, SlurmHere(Path(folder)) as slurm:
        yield slurm


@pytest.fixture
def slurm(slurm_of_session: SlurmHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlurmHere]:
    """An idle SLURM, to which the commands of this process turn; the current folder is an empty one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLURM_CONF", slurm_of_session.environment["SLURM_CONF"])
    slurm_of_session.be_idle()
    yield slurm_of_session
    slurm_of_session.be_idle()
