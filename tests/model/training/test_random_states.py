import random
from pathlib import Path

import numpy as np
import torch

from dsfu.model.training.random_states import random_states, seed_all, set_random_states


def draws() -> list[float]:
    numbers = [random.random(), random.gauss(0, 1), float(np.random.normal()), float(np.random.random())]  # noqa: NPY002
    return [*numbers, float(torch.rand(())), float(torch.randn(()))]


def test_all_generators_go_on_after_a_file(tmp_path: Path):
    seed_all(3, 0)
    draws()  # normal numbers come in twos, of which one is kept: that is state, too
    torch.save(random_states(), tmp_path / "states.pt")
    expected = draws()
    draws()
    set_random_states(torch.load(tmp_path / "states.pt", weights_only=True))
    assert draws() == expected


def test_processes_draw_other_numbers():
    drawn = []
    for seed, rank in ((3, 0), (3, 1), (4, 0)):
        seed_all(seed, rank)
        drawn.append(draws())
    assert all(len(set(column)) == 3 for column in zip(*drawn, strict=True))
