"""Job scripts, compared with golden text for every scheduler, and what must hold of any of them."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsfu.cluster.job_script import array_script, clock, closing_script, directives, worker_script
from dsfu.cluster.settings import SCHEDULERS, ClusterSettings

GOLDEN = Path(__file__).parent / "golden"

ARRAYS = [name for name in SCHEDULERS if name != "htcondor"]


def settings(scheduler: str) -> ClusterSettings:
    """Every setting that the scheduler has a word for."""
    more: dict[str, dict[str, str]] = {
        "slurm": {"qos": "high", "constraint": "zen3&nvme", "reservation": "beamtime", "nodes_exclude": "node[1-3]"},
        "lsf": {"reservation": "beamtime"},
        "sge": {"parallel_environment": "threads", "memory_resource": "mem_free"},
    }
    partition = {} if scheduler == "htcondor" else {"partition": "long"}
    return ClusterSettings(
        scheduler=scheduler,  # type: ignore[arg-type]
        cores=4,
        memory="10001MiB",
        walltime="10:00:30",
        account="xray",
        interface="ib0",
        scratch="/scratch/$USER",
        container="/images/dsfu.sif",
        prologue=("module load apptainer", "export SITE='here'"),
        job_extra=("--gres=nothing",) if scheduler == "slurm" else (),
        **partition,  # type: ignore[arg-type]
        **more.get(scheduler, {}),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_script_of_workers_is_the_golden_one(scheduler):
    script = worker_script(settings(scheduler), "tls://10.0.0.1:8786", "driver-7", "/home/me/my logs/key/run.pem")
    assert script == (GOLDEN / f"{scheduler}-workers.txt").read_text()


@pytest.mark.parametrize("scheduler", ARRAYS)
def test_the_scripts_of_an_array_are_the_golden_ones(scheduler):
    arguments = ["/home/me/my manifest.yaml", "--store", "/data/store"]
    scripts = [array_script(settings(scheduler), arguments, 16), closing_script(settings(scheduler), arguments, "4711")]
    assert "\n".join(scripts) == (GOLDEN / f"{scheduler}-array.txt").read_text()


def test_htcondor_has_no_arrays():
    with pytest.raises(ValueError, match="run --scheduler htcondor"):
        array_script(settings("htcondor"), [], 4)


@pytest.mark.parametrize("scheduler", ARRAYS)
def test_scripts_are_valid_shell(scheduler):
    for script in (worker_script(settings(scheduler)), array_script(settings(scheduler), ["a b"], 3)):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@given(st.integers(1, 10**7), st.integers(1, 256))
def test_memory_is_what_was_asked_for(mib, cores):
    def lines(scheduler: str) -> str:
        settings = ClusterSettings(scheduler=scheduler, memory=f"{mib}MiB", cores=cores)  # type: ignore[arg-type]
        return "\n".join(directives(settings))

    assert f"--mem={mib}M\n" in lines("slurm")
    assert f":mem={mib}mb\n" in lines("pbs")
    assert f"-M {mib}MB\n" in lines("lsf")
    assert f"request_memory = {mib}MB\n" in lines("htcondor")
    per_core = int(lines("sge").partition("h_vmem=")[2].partition("M")[0])
    assert mib <= per_core * cores < mib + cores


@given(st.integers(60, 10**7))
def test_walltimes_are_what_was_asked_for(seconds):
    hours, minutes, rest = map(int, clock(seconds).split(":"))
    assert hours * 3600 + minutes * 60 + rest == seconds
    lsf = next(line for line in directives(ClusterSettings(scheduler="lsf", walltime=f"{seconds}s")) if "-W" in line)
    hours, minutes = map(int, lsf.removeprefix("-W ").split(":"))
    assert seconds <= hours * 3600 + minutes * 60 < seconds + 60


def test_arguments_with_blanks_stay_whole():
    script = array_script(ClusterSettings(scheduler="slurm"), ["my manifest.yaml", "--store", "it's"], 2)
    words = shlex.split(script.splitlines()[-1])
    assert words[3:7] == ["dsfu.pipeline.cli", "run", "my manifest.yaml", "--store"]
    assert words[7] == "it's"


def test_the_working_memory_of_workers_is_that_of_their_job():
    script = worker_script(ClusterSettings(scheduler="slurm", cores=3, memory="3001MiB"))
    limit = int(script.partition("--memory-limit ")[2].partition("B")[0])
    assert 3 * limit <= 3001 * 2**20 < 3 * (limit + 1)
