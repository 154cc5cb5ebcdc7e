"""Workers in jobs of schedulers that only start what they are given in the background."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest

from dsfu.cluster import launch
from dsfu.cluster.launch import BatchJobs
from dsfu.cluster.queue import JobState
from dsfu.cluster.submitting import words_of
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from tests.cluster.runs import Notes, run_slurm, settings
from tests.pipeline.tiny import checksums, tiny

WANTED = tiny()

_START = """#!/bin/bash
script=$(mktemp -p "{folder}" job-XXXX.sh)
cat {source} > "$script"
setsid bash "$script" > "$script.out" 2>&1 < /dev/null &
echo $! >> "{folder}/started"
echo "Job <$!> of yours"
"""
_END = '#!/bin/bash\nkill -- "-$1"\n'

COMMANDS = {"pbs": ("qsub", "qdel", '"$1"'), "sge": ("qsub", "qdel", '"$1"'), "lsf": ("bsub", "bkill", "-")}


@pytest.fixture
def background(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """The commands of a scheduler, and what is left of its jobs ended at last."""
    folder = tmp_path / "bin"
    folder.mkdir()
    submit, cancel, source = COMMANDS[request.param]
    for name, code in ((submit, _START.format(folder=folder, source=source)), (cancel, _END)):
        (folder / name).write_text(code)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PBS_O_WORKDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield request.param, folder
    for pid in started(folder):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def started(folder: Path) -> list[int]:
    record = folder / "started"
    return [int(pid) for pid in record.read_text().split()] if record.exists() else []


@pytest.mark.slow
@pytest.mark.parametrize("background", COMMANDS, indirect=True)
def test_other_schedulers_make_the_same_store_and_replace_jobs_that_are_gone(background, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "GONE_AFTER_SECONDS", 1.0)
    scheduler, folder = background
    notes = Notes()
    notes.at(3, lambda: os.killpg(started(folder)[0], signal.SIGKILL))
    result = run_slurm(WANTED, tmp_path / "store", settings(scheduler=scheduler), notes, seconds_a_shard=0.3)
    assert result.exit_status == 0, result.trouble
    assert "another takes its place" in notes.text
    assert len(started(folder)) == 2
    whole = tmp_path / "whole"
    run_store(WANTED, open_files(whole), engine=InThisProcess, reporter=SilentReporter())
    ours, theirs = checksums(whole), checksums(tmp_path / "store")
    assert {name: theirs[name] for name in ours if name != "placement.json"} == {
        name: ours[name] for name in ours if name != "placement.json"
    }


@pytest.mark.parametrize("background", ["pbs"], indirect=True)
def test_refusals_of_other_schedulers_are_told_in_their_words(background, tmp_path):
    (background[1] / "qsub").write_text("#!/bin/sh\necho 'qsub: Unknown queue' >&2\nexit 1\n")
    result = run_slurm(WANTED, tmp_path / "store", settings(scheduler="pbs", partition="nowhere"), Notes())
    assert (result.exit_status, result.trouble) == (4, "qsub refuses the job: qsub: Unknown queue")


@pytest.mark.parametrize("background", ["lsf"], indirect=True)
def test_refusals_of_lsf_are_not_lost(background, tmp_path):
    (background[1] / "bsub").write_text("#!/bin/sh\necho 'nowhere: No such queue. Job not submitted.' >&2\nexit 255\n")
    result = run_slurm(WANTED, tmp_path / "store", settings(scheduler="lsf"), Notes())
    assert "nowhere: No such queue. Job not submitted." in result.trouble


@pytest.mark.parametrize("background", ["pbs"], indirect=True)
def test_where_the_queue_cannot_be_asked_waiting_jobs_are_named(background, tmp_path):
    (background[1] / "qsub").write_text("#!/bin/sh\necho 4711.server\n")
    notes = Notes()
    result = run_slurm(WANTED, tmp_path / "store", settings(scheduler="pbs"), notes, until="qstat tells")
    assert result.exit_status == 130
    assert "qstat tells of job 4711" in notes.text


def test_only_the_schedulers_words_are_kept():
    error = RuntimeError("Command exited\nExit code: 1\nstdout:\n\nstderr:\nsbatch: error: a\nsbatch: error: b\n\n")
    assert words_of(error) == "sbatch: error: a; sbatch: error: b"
    assert words_of(ValueError("Could not parse job id")) == "Could not parse job id"


class _Cluster:
    """What `BatchJobs` does with a cluster as it drops a job."""

    def __init__(self) -> None:
        self.worker_spec: dict[str, object] = {"cluster-1": {}}
        self.workers: dict[str, object] = {}

    def sync(self, function):
        asyncio.run(function())


def test_a_job_with_the_name_of_one_that_is_gone_is_given_time_to_start():
    """Without the scheduler's word a job is gone when its worker is; one that waits in the queue has had none yet."""
    jobs = BatchJobs.__new__(BatchJobs)
    jobs.cluster, jobs._states, jobs._past = _Cluster(), {}, {}
    jobs._jobs, jobs._worked, jobs._silent_since = {"cluster-1": Mock(job_id="1")}, {"cluster-1"}, {}
    assert not jobs._has_ended("cluster-1", set(), now=0.0)
    assert jobs._has_ended("cluster-1", set(), now=1.0 + launch.GONE_AFTER_SECONDS)
    jobs._drop(["cluster-1"])
    jobs._jobs["cluster-1"] = Mock(job_id="2")
    for now in (20.0, 40.0, 400.0):
        assert not jobs._has_ended("cluster-1", set(), now)


def test_a_job_that_is_ending_is_waited_for_until_slurm_says_how_it_ended():
    jobs = BatchJobs.__new__(BatchJobs)
    jobs._jobs, jobs._ending_since = {"cluster-1": Mock(job_id="1")}, {}
    jobs._states = {"1": JobState(state="COMPLETING", reason="TimeLimit")}
    assert not jobs._has_ended("cluster-1", set(), now=100.0)
    jobs._states = {"1": JobState(state="TIMEOUT", reason="None")}
    assert jobs._has_ended("cluster-1", set(), now=101.0)


def test_a_job_that_is_ending_for_ever_is_replaced():
    jobs = BatchJobs.__new__(BatchJobs)
    jobs._jobs, jobs._ending_since = {"cluster-1": Mock(job_id="1")}, {}
    jobs._states = {"1": JobState(state="COMPLETING", reason="NodeDown")}
    assert not jobs._has_ended("cluster-1", set(), now=100.0)
    assert jobs._has_ended("cluster-1", set(), now=101.0 + launch.ENDING_SECONDS)
