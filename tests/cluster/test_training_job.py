"""The job script of a training: compared with golden text, with the script to copy, and with what bash makes of it."""

import subprocess
from pathlib import Path

import pytest

from dsfu.cluster.settings import ClusterSettings
from dsfu.cluster.training_job import GOES_ON, TrainingJob, training_script
from dsfu.errors import InputError
from dsfu.model.training.train import GOES_ON as LEFT_BY_TRAINING
from tests.cluster.runs import ROOT

GOLDEN = Path(__file__).parent / "golden" / "slurm-training.txt"
TO_COPY = ROOT / "cluster" / "train.sbatch"


def settings(**more: object) -> ClusterSettings:
    values = {"cores": 16, "memory": "65000MiB", "walltime": "4:00:00", "python": "python3"} | more
    return ClusterSettings(scheduler="slurm", **values)  # type: ignore[arg-type]


def job(**more: object) -> TrainingJob:
    values = {"run": "/scratch/me/run", "arguments": ("/scratch/me/store",)} | more
    return TrainingJob(**values)  # type: ignore[arg-type]


def test_the_script_is_the_golden_one():
    everything = settings(
        partition="gpu",
        account="xray",
        qos="high",
        constraint="a100&nvlink",
        reservation="beamtime",
        interface="ib0",
        nodes_exclude="node[1-3]",
        container="/images/dsfu.sif",
        python=None,
        prologue=("module load apptainer",),
        job_extra=("--mail-type=FAIL",),
        job_name="my-training",
    )
    several = job(nodes=2, gpus_per_node=4, arguments=("/data/my store", "--recipe", "pix2pix", "train.batch=64"))
    assert training_script(everything, several) == GOLDEN.read_text()


def test_the_script_to_copy_is_what_submit_writes():
    lines = TO_COPY.read_text().splitlines(keepends=True)
    code = [line for line in lines if not line.startswith("##")]
    assert "".join(code) == training_script(settings(job_name="dsfu-train"), job())


def test_bash_understands_it():
    for script in (GOLDEN.read_text(), TO_COPY.read_text()):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("goes_on", [True, False])
def test_only_a_training_that_goes_on_is_put_back(tmp_path: Path, goes_on: bool):
    """With commands that stand in for SLURM's: srun fails as torchrun does when it is told to stop. What the turn
    before has left does not count: a job that cannot even begin would come back for ever."""
    bin_folder, run = tmp_path / "bin", tmp_path / "my run"
    bin_folder.mkdir()
    run.mkdir()
    (run / GOES_ON).touch()
    (tmp_path / "told").touch()
    leave = f"touch '{run / GOES_ON}'; " if goes_on else ""
    for name, text in {"srun": f"{leave}exit 7", "scontrol": f'echo "$@" >> {tmp_path}/told'}.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (bin_folder / name).chmod(0o755)
    environment = {"PATH": f"{bin_folder}:/usr/bin:/bin", "SLURM_JOB_ID": "41", "SLURM_JOB_NODELIST": "n1"}
    done = subprocess.run(["bash"], input=training_script(settings(), job(run=str(run))), text=True, env=environment)
    assert done.returncode == 7
    assert ("requeue 41" in (tmp_path / "told").read_text()) is goes_on


def test_it_looks_for_the_file_that_trainings_leave():
    assert GOES_ON == LEFT_BY_TRAINING


def test_ranks_follow_gpus_or_are_one():
    assert job(gpus_per_node=4).ranks == 4
    assert job(gpus_per_node=0).ranks == 1
    assert job(gpus_per_node=0, ranks_per_node=2).ranks == 2
    assert "--gpus-per-node" not in training_script(settings(), job(gpus_per_node=0))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"nodes": 0}, "nodes = 0"), ({"gpus_per_node": -1}, "gpus_per_node"), ({"stop_seconds": 5}, "30 or more")],
)
def test_impossible_jobs_are_refused(wrong: dict[str, int], message: str):
    with pytest.raises(InputError, match=message):
        job(**wrong)


def test_there_must_be_time_to_train_before_it_is_told_to_stop():
    training_script(settings(walltime="10min"), job(stop_seconds=420))
    with pytest.raises(InputError, match="expected: 420 s or less"):
        training_script(settings(walltime="10min"), job(stop_seconds=421))
    with pytest.raises(InputError, match="expected: a longer walltime"):
        training_script(settings(walltime="60s"), job(stop_seconds=60))


def test_other_schedulers_are_refused():
    with pytest.raises(InputError, match="slurm only"):
        training_script(ClusterSettings(scheduler="pbs"), job())
