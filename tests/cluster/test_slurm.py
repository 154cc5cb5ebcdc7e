"""Runs through a real SLURM, with all that befalls jobs; every one ends with the store that a local run makes."""

import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from distributed.utils import get_ip

from dsfu.cluster.arrays import array_scripts
from dsfu.cluster.job_script import worker_script
from dsfu.pipeline.running.engines import InThisProcess
from dsfu.pipeline.running.parts import Part
from dsfu.pipeline.running.reporter import SilentReporter
from dsfu.pipeline.running.run import run_store
from dsfu.pipeline.store.files import open_files
from dsfu.pipeline.store.locks import writer_lock
from tests.cluster.others import as_client, as_peer, listening
from tests.cluster.runs import ROOT, Notes, later, run_slurm, settings
from tests.cluster.slurm_here import SlurmHere
from tests.pipeline.tiny import checksums, manifest_text, tiny

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

WANTED = tiny()
SHARDS = len(WANTED.expected.specs)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checksums of the store that a run on this machine makes."""
    store = tmp_path_factory.mktemp("local") / "store"
    assert run_store(WANTED, open_files(store), engine=InThisProcess, reporter=SilentReporter()).exit_status == 0
    return contents(store)


def contents(store: Path) -> dict[str, str]:
    return {path: checksum for path, checksum in checksums(store).items() if path != "placement.json"}


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "dsfu.pipeline.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(
    "more", [{"jobs": 2}, {"max_jobs": 2, "cores": 2, "memory": "2400MiB"}], ids=["fixed", "adaptive"]
)
def test_slurm_makes_the_store_that_a_local_run_makes(slurm: SlurmHere, tmp_path, local, more):
    notes = Notes()
    result = run_slurm(WANTED, tmp_path / "store", settings(**more), notes)
    assert (result.exit_status, result.made) == (0, SHARDS), result.trouble
    assert notes.retries == []
    assert contents(tmp_path / "store") == local
    slurm.wait_for_end(90)


def test_the_command_line_runs_jobs_with_the_memory_that_was_asked_for(slurm: SlurmHere, tmp_path, local):
    (tmp_path / "tiny.yaml").write_text(manifest_text())
    (tmp_path / "site.yaml").write_text("scheduler: slurm\nmemory: 1537MiB\nwalltime: '0:10:00'\njob_name: asked\n")
    told = program(
        "run", "tiny.yaml", "--store", "store", "--cluster", "site.yaml", "--jobs", "1", "--dashboard", "none"
    )
    assert told.returncode == 0, told.stderr
    assert contents(tmp_path / "store") == local
    jobs = slurm.command("squeue", "--states=all", "--name=asked", "--noheader", "--format=%m %l %C").splitlines()
    assert jobs == ["1537M 10:00 1"]


def test_others_are_refused_while_jobs_run_and_the_key_is_gone_at_the_end(slurm: SlurmHere, tmp_path, local):
    """In a folder for logs with a name that a shell would take apart."""
    told: list[str] = []

    def attack() -> None:
        port = next(port for host, port in listening(psutil.Process()) if not host.startswith("127."))
        told.append(as_client(f"tls://{get_ip()}:{port}"))
        workers = [each for each in slurm.processes() if "dsfu.cluster.worker" in " ".join(cmdline(each))]
        told.extend(as_peer(f"tls://{host}:{port}") for host, port in listening(*workers))
        told.extend(f"{host} is everywhere" for host, _ in listening(*workers) if host in ("0.0.0.0", "::"))
        (key,) = logs.glob(".dsfu-key-*")
        assert stat.S_IMODE(key.stat().st_mode) == 0o700

    logs = tmp_path / "my logs; #1"
    notes = Notes()
    notes.at(2, attack)
    result = run_slurm(WANTED, tmp_path / "store", settings(jobs=1, log_dir=str(logs)), notes, seconds_a_shard=0.2)
    assert (result.exit_status, result.made) == (0, SHARDS), result.trouble
    assert len(told) >= 3
    assert {line.split(":")[0] for each in told for line in each.splitlines()} == {"refused"}
    assert [path.suffix for path in logs.iterdir()] == [".out"]
    assert contents(tmp_path / "store") == local


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def test_workers_that_leave_before_the_walltime_hand_over(slurm: SlurmHere, tmp_path, local):
    notes = Notes()
    batch = settings(jobs=2, walltime="60s", lifetime="10s", lifetime_stagger="2s")
    result = run_slurm(WANTED, tmp_path / "store", batch, notes, seconds_a_shard=2.0)
    assert result.exit_status == 0, result.trouble
    assert "another takes its place" in notes.text
    assert notes.retries == []
    assert contents(tmp_path / "store") == local


@pytest.mark.parametrize("more", [{"jobs": 2}, {"min_jobs": 1, "max_jobs": 2}], ids=["fixed", "adaptive"])
def test_one_cancelled_job_and_then_all_of_them(slurm: SlurmHere, tmp_path, local, more):
    notes = Notes()
    notes.at(2, lambda: void(slurm.command("scancel", slurm.jobs("RUNNING")[0])))
    notes.at(5, lambda: void(slurm.command("scancel", "--user=root")))
    result = run_slurm(WANTED, tmp_path / "store", settings(**more), notes, seconds_a_shard=1.0)
    assert result.exit_status == 0, result.trouble
    assert result.failures == []
    assert "CANCELLED" in notes.text
    assert contents(tmp_path / "store") == local


def test_jobs_that_slurm_ends_at_their_walltime_are_replaced(slurm: SlurmHere, tmp_path, local):
    def end_soon() -> None:
        for job in slurm.jobs("RUNNING"):
            slurm.command("scontrol", "update", f"jobid={job}", "timelimit=1")

    notes = Notes()
    notes.at(1, end_soon)
    result = run_slurm(WANTED, tmp_path / "store", settings(jobs=1), notes, seconds_a_shard=8.0)
    assert result.exit_status == 0, result.trouble
    assert "TIMEOUT" in notes.text or "TimeLimit" in notes.text
    assert contents(tmp_path / "store") == local


DRIVER = """
import sys
from pathlib import Path
from tests.cluster.others import as_client, as_peer, listening
from tests.cluster.runs import ROOT, Notes, run_slurm, settings
from tests.pipeline.tiny import tiny
run_slurm(tiny(), Path(sys.argv[1]), settings(jobs=2), Notes(), seconds_a_shard=20.0)
"""


def test_jobs_of_a_driver_that_is_killed_end_by_themselves(slurm: SlurmHere, tmp_path):
    environment = {**slurm.environment, "PYTHONPATH": str(ROOT)}
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path / "store")], env=environment)
    try:
        slurm.wait_for_jobs(2)
        logs = tmp_path / "dsfu-logs"
        slurm.wait_until(lambda: all("Registered to" in log for log in texts(logs, 2)), "workers at work", 60)
    finally:
        driver.kill()
        driver.wait()
    slurm.wait_for_end(240)


def texts(folder: Path, number: int) -> list[str]:
    return ([path.read_text() for path in folder.glob("*.out")] + [""] * number)[:number]


def test_drained_nodes_are_waited_for(slurm: SlurmHere, tmp_path, local):
    def drain() -> None:
        slurm.command("scontrol", "update", "nodename=here[1-2]", "state=drain", "reason=test")
        slurm.command("scancel", "--user=root")
        later(9, lambda: void(slurm.command("scontrol", "update", "nodename=here[1-2]", "state=resume")))

    notes = Notes()
    notes.at(3, drain)
    result = run_slurm(WANTED, tmp_path / "store", settings(jobs=1), notes, seconds_a_shard=0.5)
    assert result.exit_status == 0, result.trouble
    assert "PENDING" in notes.text
    assert contents(tmp_path / "store") == local


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"partition": "nowhere"}, "Invalid partition name specified"),
        ({"partition": "physics", "account": "chemistry"}, "Invalid account or account/partition combination"),
        ({"memory": "90000MiB"}, "Requested node configuration is not available"),
        ({"prologue": ("echo cannot load module; exit 3",)}, "cannot load module"),
    ],
    ids=["partition", "account", "memory", "prologue"],
)
def test_what_slurm_refuses_is_told_in_its_words(slurm: SlurmHere, tmp_path, more, words):
    result = run_slurm(WANTED, tmp_path / "store", settings(**more), Notes())
    assert result.exit_status == 4
    assert words in result.trouble
    assert result.seconds < 90


def test_jobs_that_stay_pending_are_spoken_of_and_waited_for(slurm: SlurmHere, tmp_path):
    notes = Notes()
    result = run_slurm(WANTED, tmp_path / "store", settings(partition="closed"), notes, until="PartitionDown")
    assert (result.exit_status, result.trouble) == (130, "")
    assert "PartitionDown" in notes.text
    slurm.wait_for_end(90)


def test_sbatch_accepts_the_scripts(slurm: SlurmHere, tmp_path):
    scripts = array_scripts(settings(cores=2), 4, ["tiny.yaml"], ["tiny.yaml"])
    for script in (worker_script(settings(cores=2)), scripts.array):
        (tmp_path / "job.sh").write_text(script)
        slurm.command("sbatch", "--test-only", str(tmp_path / "job.sh"))


def submit(parts: int) -> str:
    told = program("submit", "tiny.yaml", "--store", "store", "--array", str(parts), "--memory", "1200MiB")
    assert told.returncode == 0, told.stderr
    return told.stdout.split()[2]


def test_an_array_of_four_parts_one_of_them_killed_and_requeued(slurm: SlurmHere, tmp_path, local):
    (tmp_path / "tiny.yaml").write_text(manifest_text())
    array = submit(4)
    slurm.wait_for_jobs(4)
    slurm.command("scontrol", "requeue", f"{array}_2")
    slurm.wait_for_end(240)
    log = (tmp_path / "dsfu-logs" / f"dsfu-{array}_2.out").read_text()
    assert "Part 2/4 is done" in log
    assert contents(tmp_path / "store") == local


def test_a_second_array_by_mistake_is_refused_part_by_part(slurm: SlurmHere, tmp_path, local):
    """A part of the first is held all the while, so that it matters for nothing how quick the jobs are."""
    (tmp_path / "tiny.yaml").write_text(manifest_text())
    with writer_lock(open_files(tmp_path / "store"), Part(1, 2).lock_name):
        array = submit(2)
        slurm.wait_for_end(240)
    refused, made = ((tmp_path / "dsfu-logs" / f"dsfu-{array}_{part}.out").read_text() for part in (1, 2))
    assert "writes to this store" in refused
    assert "writes to this store" not in made
    submit(2)
    slurm.wait_for_end(240)
    assert contents(tmp_path / "store") == local


def void(_: object) -> None:
    """Only the deed counts."""
