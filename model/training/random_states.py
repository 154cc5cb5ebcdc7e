"""The states of all generators of random numbers of a process, as plain values that a checkpoint can hold."""

import random
from typing import Any

import numpy as np
import torch


def random_states() -> dict[str, Any]:
    """Python's, numpy's and torch's, on CPU and GPU."""
    version, words, normal = random.getstate()
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002  what is set elsewhere is kept here
    inner = numpy_state["state"]
    return {
        "python": {"version": version, "words": list(words), "normal": normal},
        "numpy": {
            "words": [int(word) for word in inner["key"]],
            "position": int(inner["pos"]),
            "has_normal": int(numpy_state["has_gauss"]),
            "normal": float(numpy_state["gauss"]),
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Go on as if nothing had happened since `random_states`."""
    python, its = states["python"], states["numpy"]
    random.setstate((python["version"], tuple(python["words"]), python["normal"]))
    words = np.array(its["words"], np.uint32)
    np.random.set_state(("MT19937", words, its["position"], its["has_normal"], its["normal"]))  # noqa: NPY002
    torch.set_rng_state(states["torch"].cpu())
    if states["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"].cpu())


def seed_all(seed: int, rank: int) -> None:
    """Begin: other numbers in every process."""
    mixed = int(np.random.SeedSequence([seed, rank]).generate_state(1)[0])
    random.seed(mixed)
    np.random.seed(mixed)  # noqa: NPY002
    torch.manual_seed(mixed)
