"""Nobody else's code runs: another user tries every port that a run opens."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dsfu.cluster.worker import arguments_of
from dsfu.pipeline.running.dask_workers import open_existing, open_local
from dsfu.pipeline.running.engines import EngineError
from dsfu.pipeline.running.feeding import run_shards
from dsfu.pipeline.running.graph import DaskEngine
from tests.cluster.others import as_client, as_peer, listening
from tests.pipeline.fakes import Notes, make, spec
from tests.pipeline.running.test_graph import scheduler_and_workers

REFUSED = {"refused: tcp", "refused: tls"}


@pytest.fixture(scope="module")
def engine() -> Iterator[DaskEngine]:
    with open_local(1) as engine:
        yield engine


def told(answer: str) -> set[str]:
    return {" ".join(line.split()[:2]) for line in answer.splitlines()}


@pytest.mark.slow
def test_a_client_of_another_user_is_refused_by_the_scheduler(engine):
    assert told(as_client(engine._address)) == REFUSED
    notes = Notes()
    run_shards([spec(i) for i in range(9)], make, engine=engine, watcher=notes, scope="after the attack")
    assert len(notes.made) == 9


@pytest.mark.slow
def test_so_is_a_peer_by_every_process(engine):
    """Scheduler, nanny and worker all listen, and each would run code for a peer."""
    addresses = listening(psutil.Process())
    assert len(addresses) >= 3
    for host, port in addresses:
        assert told(as_peer(f"tls://{host}:{port}")) == REFUSED


@pytest.mark.slow
def test_the_attack_itself_works_where_there_is_no_key(tmp_path):
    """Otherwise the tests above could not fail."""
    with scheduler_and_workers(tmp_path) as (address, _):
        assert "LET IN:" in as_client(address)
        assert "LET IN:" in as_peer(address)


def test_a_scheduler_of_the_users_own_is_taken_with_its_certificates_or_a_warning(tmp_path, monkeypatch):
    with scheduler_and_workers(tmp_path) as (address, _), open_existing(address) as engine:
        assert "whoever reaches it can run code there" in engine.description
    with pytest.raises(EngineError, match="DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT"):
        open_existing("tls://127.0.0.1:9")


def test_workers_of_batch_jobs_listen_where_the_driver_is_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.delenv("_CONDOR_SCRATCH_DIR", raising=False)
    words = arguments_of(["tls://127.0.0.1:8786", "--name", "n", "--key", "/logs/run.pem", "--nanny"])
    assert words[:4] == ["tls://127.0.0.1:8786", "--name", "n", "--nanny"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options["--host"] == "127.0.0.1"
    assert {options[f"--tls-{name}"] for name in ("ca-file", "cert", "key")} == {"/logs/run.pem"}
    assert "--host" not in arguments_of(["tls://h:1", "--key", "k", "--interface", "lo"])


def test_the_key_that_htcondor_has_brought_is_found(tmp_path, monkeypatch):
    (tmp_path / "run.pem").touch()
    monkeypatch.setenv("_CONDOR_SCRATCH_DIR", str(tmp_path))
    assert str(tmp_path / "run.pem") in arguments_of(["tls://127.0.0.1:1", "--key", "/elsewhere/run.pem"])


def test_a_worker_without_the_key_is_not_let_in(tmp_path, engine):
    """Nor does one with another key work for whoever has taken the driver's port."""
    from dsfu.cluster.credentials import KeyFile

    key = KeyFile(Path(tmp_path))
    command = [sys.executable, "-m", "dsfu.cluster.worker", engine._address, "--key", str(key.path)]
    command += ["--nthreads", "1", "--no-dashboard", "--death-timeout", "4"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "certificate" in done.stderr.lower()
    assert len(engine._client.scheduler_info()["workers"]) == 1
    key.close()
