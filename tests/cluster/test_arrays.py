"""Submitting an array and what closes the store after it, to schedulers that are made of paper."""

import pytest

from dsfu.cluster.arrays import array_scripts, submit_array
from dsfu.cluster.settings import ClusterSettings
from dsfu.cluster.submitting import ClusterError
from dsfu.errors import InputError
from tests.cluster.fake_scheduler import fake


@pytest.mark.parametrize(
    ("scheduler", "command", "answer", "number", "dependency"),
    [
        ("slurm", "sbatch", "4711", "4711", "#SBATCH --dependency=afterany:4711"),
        ("slurm", "sbatch", "4711;cluster2", "4711", "#SBATCH --dependency=afterany:4711"),
        ("pbs", "qsub", "4711[].server", "4711[].server", "#PBS -W depend=afterany:4711[].server"),
        ("lsf", "bsub", "Job <4711> is submitted to queue <x>.", "4711", '#BSUB -w "ended(4711)"'),
        ("sge", "qsub", 'Your job-array 4711.1-4:1 ("dsfu") has been submitted', "4711", "#$ -hold_jid 4711"),
    ],
)
def test_the_closing_job_waits_for_the_array(tmp_path, monkeypatch, scheduler, command, answer, number, dependency):
    fake(tmp_path / "bin", monkeypatch, **{command: f"echo '{answer}'"})
    settings = ClusterSettings(scheduler=scheduler, log_dir=str(tmp_path / "logs"))
    assert submit_array(settings, 4, ["m.yaml"], ["m.yaml"])[0] == number
    assert dependency in (tmp_path / "logs" / "dsfu-close.sh").read_text().splitlines()
    assert "1-4" in (tmp_path / "logs" / "dsfu-array.sh").read_text()


def test_a_refusal_is_told_in_the_schedulers_words(tmp_path, monkeypatch):
    fake(tmp_path / "bin", monkeypatch, sbatch="echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1")
    settings = ClusterSettings(scheduler="slurm", log_dir=str(tmp_path / "logs"))
    with pytest.raises(ClusterError, match="sbatch refuses .*QOSMaxSubmitJobPerUserLimit"):
        submit_array(settings, 4, [], [])


def test_an_array_without_what_closes_it_is_told_of(tmp_path, monkeypatch):
    code = 'case "$2" in *close*) echo "no more jobs" >&2; exit 1;; esac; echo 4711'
    fake(tmp_path / "bin", monkeypatch, sbatch=code)
    settings = ClusterSettings(scheduler="slurm", log_dir=str(tmp_path / "logs"))
    with pytest.raises(ClusterError, match="submitted as job 4711, but not what closes .*no more jobs"):
        submit_array(settings, 4, [], [])


def test_without_the_command_nothing_is_written(tmp_path, monkeypatch):
    fake(tmp_path / "bin", monkeypatch)
    settings = ClusterSettings(scheduler="slurm", log_dir=str(tmp_path / "logs"))
    with pytest.raises(ClusterError, match="sbatch: there is no such command here"):
        submit_array(settings, 4, [], [])
    assert not (tmp_path / "logs").exists()


def test_schedulers_without_arrays_are_refused():
    with pytest.raises(InputError, match="run --scheduler htcondor"):
        array_scripts(ClusterSettings(scheduler="htcondor"), 4, [], [])
