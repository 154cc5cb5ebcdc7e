"""What an evaluation is asked for, and what comes of it, whatever is evaluated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Watch = Callable[[int, int], None]
"""Called after each batch with the numbers of samples done and in all."""


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """How to evaluate.

    Attributes
    ----------
    split
        Which part of the data set.
    limit
        At most so many samples, drawn at random; 0: all.
    device
        "auto", or one that torch knows.
    seed
        Of all that is drawn.
    """

    split: str = "validation"
    limit: int = 0
    batch_size: int = 16
    device: str = "auto"
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """What came out: for programs, for a terminal, and the files that were written, by name."""

    summary: Mapping[str, Any]
    text: str
    files: Mapping[str, Path]
