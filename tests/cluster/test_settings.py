"""Settings of a site: where they come from, which of them win, and what is said of those that cannot be used."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dsfu.cluster.quantities import memory_mib, seconds_of
from dsfu.cluster.settings import SCHEDULERS, ClusterSettings, read_settings
from dsfu.errors import InputError

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "cluster" / "presets").glob("*.yaml"))


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DSFU_CLUSTER", raising=False)


def site(tmp_path: Path, text: str, name: str = "site.yaml") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "mib"),
    [("4GiB", 4096), ("4 G", 4096), ("512MiB", 512), ("1.5GiB", 1536), ("0.1GiB", 103), ("4GB", 3815), ("2T", 2**21)],
)
def test_memory_is_never_rounded_down(text, mib):
    assert memory_mib(text) == mib


@pytest.mark.parametrize("text", ["4", "GiB", "4 apples", "-1GiB", "1e3MiB", ""])
def test_memory_without_a_unit_is_refused(text):
    assert memory_mib(text) is None
    with pytest.raises(InputError, match="command line: memory: (.|\n)*a number with its unit, as 4GiB"):
        read_settings("slurm", None, {"memory": text})


@given(st.integers(1, 10**6), st.sampled_from(["MiB", "GiB"]))
def test_whole_units_are_exact(number, unit):
    assert memory_mib(f"{number}{unit}") == number * (1024 if unit == "GiB" else 1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1:30:00", 5400), ("2-00:00:00", 172800), ("90min", 5400), ("12h", 43200), ("45s", 45)]
)
def test_times(text, seconds):
    assert seconds_of(text, "--stop-before") == seconds


@pytest.mark.parametrize("text", ["90", "1:90:00", "an hour", "1:30"])
def test_times_that_could_mean_two_things_are_refused(text):
    with pytest.raises(InputError, match="--stop-before: .* is no time"):
        seconds_of(text, "--stop-before")


def test_flags_win_over_the_file(tmp_path):
    file = site(tmp_path, "scheduler: slurm\npartition: long\nmemory: 8GiB\njobs: 4\nprologue: [module load python]\n")
    found = read_settings(None, file, {"partition": "short", "cores": 2, "account": None})
    assert (found.scheduler, found.partition, found.memory_of_job_mib, found.cores) == ("slurm", "short", 8192, 2)
    assert (found.jobs, found.prologue, found.account) == (4, ("module load python",), None)


def test_adaptive_flags_replace_a_fixed_number_and_the_other_way_round(tmp_path):
    file = site(tmp_path, "scheduler: slurm\njobs: 4\n")
    assert read_settings(None, file, {"max_jobs": 9}).most_jobs == 9
    file = site(tmp_path, "scheduler: slurm\nmin_jobs: 1\nmax_jobs: 4\n")
    assert read_settings(None, file, {"jobs": 2}).fewest_jobs == 2


def test_the_file_is_named_by_the_variable_or_lies_in_the_users_folder(tmp_path, monkeypatch):
    site(tmp_path, "scheduler: pbs\n", "config/dsfu/cluster.yaml")
    assert read_settings().scheduler == "pbs"
    monkeypatch.setenv("DSFU_CLUSTER", str(site(tmp_path, "scheduler: lsf\n")))
    assert read_settings().scheduler == "lsf"
    assert read_settings(None, site(tmp_path, "scheduler: sge\n", "named.yaml")).scheduler == "sge"
    monkeypatch.setenv("DSFU_CLUSTER", str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match=r"no such site file \(from \$DSFU_CLUSTER\)"):
        read_settings()


def test_a_site_file_of_another_scheduler_is_no_guide(tmp_path):
    site(tmp_path, "scheduler: pbs\npartition: workq\n", "config/dsfu/cluster.yaml")
    assert read_settings("slurm").partition is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scheduler: slurm\npartiton: long\n", "line 2: partiton: unknown key"),
        ("scheduler: slrum\n", "did you mean slurm?"),
        ("scheduler: slurm\ncores: two\n", 'cores = "two"'),
        ("scheduler: slurm\ncores: 0\n", "a whole number from 1"),
        ("scheduler: slurm\nmemory: 8\n", "memory: '8' is no size"),
        ("scheduler: slurm\nwalltime: 3600\n", "in quotes"),
        ("scheduler: slurm\nwalltime: 30s\n", "walltime: 30 s"),
        ("scheduler: slurm\nwalltime: 1h\nlifetime: 1h\n", "less than walltime = 3600 s together"),
        ("scheduler: slurm\njobs: 2\nmax_jobs: 3\n", "not both"),
        ("scheduler: slurm\nmin_jobs: 5\nmax_jobs: 3\n", "no more than max_jobs = 3"),
        ("scheduler: pbs\nqos: high\n", "pbs has no word for it"),
        ('scheduler: slurm\npartition: "a\\nb"\n', "a single line"),
        ("scheduler: slurm\nprologue: {a: b}\n", "a list of 0 to many items"),
        ("scheduler: slurm\njob_name: two words\n", 'job_name = "two words"'),
        ("- slurm\n", "the file holds a list"),
        ("scheduler: [slurm\n", "line 1: this list is never closed"),
        ("partition: long\n", "scheduler: missing"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_file(tmp_path, text, words):
    file = site(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_settings(None, file)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


@given(st.integers(60, 10**6))
def test_workers_leave_before_the_walltime_whatever_it_is(walltime):
    found = ClusterSettings(scheduler="slurm", walltime=f"{walltime}s")
    assert 0.5 * walltime < found.worker_lifetime_seconds
    assert found.worker_lifetime_seconds + found.stagger_seconds <= walltime - 15


def test_settings_are_frozen():
    found = ClusterSettings(scheduler="slurm")
    with pytest.raises(ValidationError, match="frozen"):
        found.cores = 2


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_presets_can_be_read_as_they_are(preset):
    assert read_settings(None, preset).scheduler in SCHEDULERS


def test_there_is_a_preset_for_every_scheduler_and_every_key_is_in_one():
    assert {path.stem for path in PRESETS} >= set(SCHEDULERS)
    text = "\n".join(path.read_text() for path in PRESETS)
    assert [key for key in ClusterSettings.model_fields if f"{key}:" not in text] == []
