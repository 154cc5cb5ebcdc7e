"""What squeue answers, read."""

from dsfu.cluster.queue import JobState, job_states, parse_squeue
from tests.cluster.fake_scheduler import fake

ANSWER = "12|PENDING|Resources\n13|RUNNING|None\n14|CANCELLED|None\n15_[1-4]|PENDING|(a|b)\nslurm is busy\n"


def test_states_and_reasons_are_read():
    states = parse_squeue(ANSWER)
    assert states["12"] == JobState(state="PENDING", reason="Resources")
    assert [states[number].alive for number in ("12", "13", "14")] == [True, True, False]
    assert states["15_[1-4]"].reason == "(a|b)"
    assert len(states) == 4
    assert (str(states["12"]), str(states["13"])) == ("PENDING, Resources", "RUNNING")


def test_a_scheduler_that_does_not_answer_is_not_taken_for_an_empty_queue(tmp_path, monkeypatch):
    fake(tmp_path / "bin", monkeypatch, squeue="echo 'Unable to contact slurm controller' >&2; exit 1")
    assert job_states("slurm", "dsfu") is None
    fake(tmp_path / "bin", monkeypatch, squeue="exit 0")
    assert job_states("slurm", "dsfu") == {}
    assert job_states("pbs", "dsfu") is None
