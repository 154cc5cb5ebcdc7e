import math
from itertools import pairwise

import pytest

from dsfu.errors import InputError
from dsfu.model.training.config import OptimiserConfig, TrainingLimits
from dsfu.model.training.schedule import Progress, Schedule


def schedule(limits: TrainingLimits, **optimiser: object) -> Schedule:
    settings = OptimiserConfig(learning_rate=0.1, **optimiser)  # type: ignore[arg-type]
    return Schedule(limits=limits, optimiser=settings, batches_per_epoch=10)


def test_cosine_with_warm_up():
    made = schedule(TrainingLimits(steps=1000), warm_up_steps=100, final_share=0.01)
    rates = [made.learning_rate(Progress(step=step)) for step in range(1001)]
    assert rates[0] == pytest.approx(0.001, rel=1e-3)
    assert rates[100] == pytest.approx(0.1 * (0.01 + 0.99 * (1 + math.cos(math.pi / 10)) / 2))
    assert rates[500] == pytest.approx(0.1 * (0.01 + 0.99 / 2))
    assert rates[1000] == pytest.approx(0.001)
    assert all(later < earlier for earlier, later in pairwise(rates[100:]))


def test_constant():
    made = schedule(TrainingLimits(steps=100), warm_up_steps=0, schedule="constant")
    assert {made.learning_rate(Progress(step=step)) for step in range(100)} == {0.1}


def test_the_nearest_limit_ends_it():
    made = schedule(TrainingLimits(steps=95, epochs=9, minutes=2))
    assert made.last_step == 90
    assert made.done_share(Progress(step=45, seconds=30)) == 0.5
    assert made.done_share(Progress(step=45, seconds=90)) == 0.75
    assert made.is_done(Progress(step=3, seconds=120))
    assert made.is_done(Progress(step=90))
    assert not made.is_done(Progress(step=89))


def test_time_alone():
    made = schedule(TrainingLimits(minutes=1), warm_up_steps=0)
    assert made.last_step == 0
    assert made.learning_rate(Progress(step=10**6, seconds=60)) == pytest.approx(0.001)


def test_it_has_to_end():
    with pytest.raises(InputError, match="never end"):
        schedule(TrainingLimits(session_minutes=3))
