"""What `dsfu-model submit` asks SLURM for, and what it refuses before anything waits in a queue."""

import sys
from collections.abc import Callable

import pytest

from dsfu.cluster.settings import ClusterSettings
from dsfu.cluster.training_job import TrainingJob, training_script
from dsfu.model import cli
from tests.cluster.fake_scheduler import fake
from tests.model.training.stores import library_store

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return library_store(tmp_path_factory.mktemp("store") / "store", materialise=False)


@pytest.fixture
def call(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the program in an empty folder, with a SLURM that takes every job; gives exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DSFU_CLUSTER", raising=False)
    fake(tmp_path / "bin", monkeypatch, sbatch="echo 41", squeue="exit 1")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dsfu-model", *arguments])
        monkeypatch.delenv("DSFU_DEBUG", raising=False)
        status = 0
        try:
            cli.main()
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return call


def test_a_job_is_submitted_and_its_script_kept(call, store, tmp_path):
    status, out, err = call(
        "submit", store, "--out", "run", "batch_size=4", "--walltime", "2:00:00", "--account", "xray"
    )
    assert (status, err) == (0, "")
    assert "Submitted job 41." in out
    settings = ClusterSettings(scheduler="slurm", account="xray", walltime="2:00:00", cores=4, memory="8GiB")
    job = TrainingJob(run=str(tmp_path / "run"), arguments=(store, "batch_size=4"))
    assert (tmp_path / "run" / "train.sbatch").read_text() == training_script(settings, job)
    assert (tmp_path / "dsfu-logs").is_dir()


def test_a_dry_run_prints_the_script_and_does_nothing(call, tmp_path):
    status, out, _ = call("submit", "store", "--out", "run", "--gpus", "4", "--recipe", "pix2pix", "--dry-run")
    assert status == 0
    assert f"train {tmp_path / 'store'} --recipe pix2pix --out {tmp_path / 'run'} --resume auto" in out
    assert "#SBATCH --cpus-per-task=16\n#SBATCH --mem=32768M\n" in out
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_site_file_and_options_say_how_many_cores(call, tmp_path):
    """The file is about workers as well, for which a core is enough; an option is about this job."""
    (tmp_path / "site.yaml").write_text("scheduler: slurm\ncores: 8\nmemory: 16GiB\n")
    _, out, _ = call("submit", "store", "--out", "run", "--cluster", "site.yaml", "--dry-run")
    assert "#SBATCH --cpus-per-task=8\n#SBATCH --mem=16384M\n" in out
    _, out, _ = call("submit", "store", "--out", "run", "--cores", "1", "--memory", "3GiB", "--dry-run")
    assert "#SBATCH --cpus-per-task=1\n#SBATCH --mem=3072M\n" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["limit.steps=3"], "did you mean limits?"),
        (["batch_size=none"], "a whole number"),
        (["nonsense"], "sets nothing"),
        (["--recipe", "dfsu"], "did you mean dsfu"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["--walltime", "4:00"], "expected: HH:MM:SS"),
        (["--walltime", "0:04:00", "--stop-before", "2min"], "expected: 60 s or less"),
        (["--stop-before", "soon"], "--stop-before: 'soon' is no time"),
        (["--memory", "8"], "expected: a number with its unit"),
        (["--cluster", "nowhere.yaml"], "there is no such site file"),
    ],
)
def test_wrong_settings_are_refused(call, store, tmp_path, arguments, words):
    status, _, err = call("submit", store, "--out", "run", *arguments)
    assert status == 2
    assert words in err
    assert not (tmp_path / "run").exists()


def test_without_a_store_to_train_on_nothing_is_submitted(call, tmp_path):
    status, _, err = call("submit", "nowhere", "--out", "run")
    assert status == 2
    assert "nowhere: there is no closed store" in err
    (tmp_path / "open" / "ledger").mkdir(parents=True)
    assert call("submit", "open", "--out", "run")[0] == 2
    assert not (tmp_path / "run").exists()


def test_folders_that_cannot_be_written_are_named(call, store, tmp_path):
    (tmp_path / "file").touch()
    for arguments in (["--out", "file/run"], ["--out", "run", "--log-dir", "file/logs"]):
        status, _, err = call("submit", store, *arguments)
        assert (status, "file/" in err) == (2, True)
        assert "the folder cannot be made: Not a directory" in err


def test_without_slurm(call, store, tmp_path, monkeypatch):
    fake(tmp_path / "nothing", monkeypatch)
    status, _, err = call("submit", store, "--out", "run")
    assert status == 2
    assert "sbatch: there is no such command here; is this a login node of a slurm cluster?" in err


def test_what_slurm_refuses_is_told_in_its_words(call, store, tmp_path, monkeypatch):
    words = "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified"
    fake(tmp_path / "bin", monkeypatch, sbatch=f"echo '{words}' >&2; exit 1")
    status, _, err = call("submit", store, "--out", "run")
    assert status == 2
    assert words in err


@pytest.mark.parametrize(
    ("says", "status"),
    [("41|RUNNING|None", 2), ("41|PENDING|Resources", 2), ("41|COMPLETING|None", 2), ("41|CANCELLED|None", 0), ("", 0)],
)
def test_two_jobs_do_not_train_in_one_folder(call, store, tmp_path, monkeypatch, says, status):
    assert call("submit", store, "--out", "run")[0] == 0
    fake(tmp_path / "bin", monkeypatch, squeue=f"echo '{says}'")
    again = call("submit", store, "--out", "run")
    assert again[0] == status, again
    assert ("job 41 trains here already" in again[2]) is (status == 2)
    assert call("submit", store, "--out", "other")[0] == 0
