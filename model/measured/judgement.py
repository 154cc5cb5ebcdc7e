"""What a verdict on measured data can be."""

from typing import Literal

Judgement = Literal["agrees", "contradicts", "not judged"]
