"""What a site file or an option says stays one value in the job scripts of every scheduler."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dsfu.cluster.job_script import array_script, directives, worker_script
from dsfu.cluster.settings import SCHEDULERS, ClusterSettings, read_settings
from dsfu.cluster.training_job import TrainingJob, training_script
from dsfu.errors import InputError

NAMES = ("partition", "account", "qos", "constraint", "reservation", "nodes_exclude", "interface")
WORDS_OF = {"sge": ("parallel_environment", "memory_resource"), "slurm": NAMES}
PREFIX = {"slurm": "#SBATCH ", "pbs": "#PBS ", "lsf": "#BSUB ", "sge": "#$ "}


def names_of(scheduler: str) -> tuple[str, ...]:
    usual = ("account", "interface") if scheduler == "htcondor" else ("account", "interface", "partition")
    return (*usual, *WORDS_OF.get(scheduler, ()))


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(
    "evil",
    [
        "a b --wrap=evil",
        "a\tb",
        "-x",
        "a#b",
        "a'b",
        'a"b',
        "a\\",
        "$(date)",
        "`date`",
        "a;b",
        "a\n#SBATCH -x",
        "a\r",
        "%j",
    ],
)
def test_a_name_that_would_be_more_than_one_is_refused(scheduler, evil):
    for name in names_of(scheduler):
        with pytest.raises(ValidationError, match=name):
            ClusterSettings(scheduler=scheduler, **{name: evil})


@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from(SCHEDULERS))
def test_whatever_is_taken_is_one_word_of_a_directive(text, scheduler):
    for name in names_of(scheduler):
        try:
            settings = ClusterSettings(scheduler=scheduler, **{name: text})
        except ValidationError:
            continue
        plain = directives(ClusterSettings(scheduler=scheduler, **{name: "plain"}))  # type: ignore[arg-type]
        ours = directives(settings)
        assert len(ours) == len(plain)
        for line, expected in zip(ours, plain, strict=True):
            if scheduler == "htcondor":
                assert line == expected.replace("plain", text)
            else:
                words = [word.replace("plain", text) for word in shlex.split(expected)]
                assert shlex.split(line, comments=True) == words


def test_names_that_sites_use_are_taken():
    for text in (
        "zen3&nvme",
        "[rack1*2|rack2*4]",
        "node[1-3,7]",
        "a,b",
        "all.q@@hosts",
        "workq@server.example",
        "x+y",
        "é",
    ):
        ClusterSettings(scheduler="slurm", constraint=text, partition=text, nodes_exclude=text)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_folder_for_logs_may_have_blanks(scheduler):
    settings = ClusterSettings(scheduler=scheduler, log_dir="my logs; #1 (new)")
    lines = worker_script(settings).splitlines()
    if scheduler == "htcondor":
        assert "output = my logs; #1 (new)/dsfu-$(ClusterId).out" in lines
        return
    words = [shlex.split(line.removeprefix(PREFIX[scheduler])) for line in lines if line.startswith(PREFIX[scheduler])]
    given = [word for line in words for word in line if "my logs" in word]
    assert len(given) == 1
    assert given[0].removeprefix("--output=").startswith("my logs; #1 (new)/")


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize(
    "folder", ["a'b", 'a"b', "a\\", "$HOME/logs", "$(date)", "`x`", "%j", " a", "a ", "-a", "a\nb"]
)
def test_other_folders_are_refused(scheduler, folder):
    with pytest.raises(ValidationError, match="log_dir"):
        ClusterSettings(scheduler=scheduler, log_dir=folder)


@pytest.mark.parametrize(("scheduler", "folder"), [("pbs", "host:a"), ("sge", "a,b"), ("htcondor", "a,b")])
def test_folders_that_a_scheduler_takes_apart_are_refused(scheduler, folder):
    with pytest.raises(InputError, match=f"log_dir: (.|\n)*for {scheduler} without"):
        read_settings(scheduler, None, {"log_dir": folder})


def shell_of_condor(script: str) -> str:
    """What the shell is given, by HTCondor's rules: macros are replaced, then quotes are doubled no more."""
    (line,) = [each for each in script.splitlines() if each.startswith("arguments = ")]
    value = line.removeprefix("arguments = ")
    macros = re.findall(r"\$(\w*)\(([^)]*)\)", value)
    assert [name for _, name in macros] == ["DOLLAR"] * len(macros), "HTCondor would replace something of ours"
    value = value.replace("$(DOLLAR)", "$")
    assert value[:5] == "\"-c '"
    assert value[-2:] == "'\""
    inner = value[5:-2].replace('""', "\0").replace("''", "\1")
    assert "'" not in inner
    assert '"' not in inner
    return inner.replace("\0", '"').replace("\1", "'")


def test_htcondor_replaces_nothing_in_what_the_shell_is_given():
    lines = ("A=$(echo one)", "B='it is'", 'C="$ENV(PATH)"', "echo $A $B ${C} $HOME")
    settings = ClusterSettings(scheduler="htcondor", prologue=lines, scratch="$(pwd)/$USER")
    shell = shell_of_condor(worker_script(settings))
    for line in lines:
        assert line in shell
    assert '--local-directory "$(pwd)/$USER"' in shell
    printed = subprocess.run(
        ["sh", "-c", shell.partition("; exec")[0].replace('C="$ENV(PATH)"', "C=c")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.startswith("one it is c ")


def test_what_htcondor_would_replace_where_the_job_runs_is_refused():
    with pytest.raises(InputError, match="HTCondor would replace"):
        worker_script(ClusterSettings(scheduler="htcondor", prologue=("echo $$(Name)",)))


@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name != "htcondor"])
def test_a_path_of_a_manifest_makes_no_directives(scheduler):
    """Grid Engine and LSF look for them in every line."""
    with pytest.raises(InputError, match="without line breaks"):
        array_script(ClusterSettings(scheduler=scheduler), ["m.yaml", "--store", "a\n#$ -q evil\n#BSUB -q evil"], 2)


def test_nothing_of_a_training_leaves_its_word(tmp_path: Path):
    evil = "x'; touch evil; '$(touch evil)`touch evil`"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "srun").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\n')
    (tmp_path / "bin" / "srun").chmod(0o755)
    script = training_script(
        ClusterSettings(scheduler="slurm", interface="ib0", container="/my images/it's.sif"),
        TrainingJob(run=evil, arguments=(evil, f"data.name={evil}")),
    )
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "SLURM_JOB_ID": "1"}
    subprocess.run(["bash"], input=script, text=True, cwd=tmp_path, env=environment, check=False)
    assert not (tmp_path / "evil").exists()
    words = (tmp_path / "words").read_text().splitlines()
    assert words.count(evil) == 2
    assert f"data.name={evil}" in words
