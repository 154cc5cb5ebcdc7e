"""Where batches come from, whatever they are made of."""

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

B = TypeVar("B", covariant=True)


class BatchSource(Protocol[B]):
    """Batches for one process of a training, epoch after epoch; the same ones whenever the seed is the same."""

    batches_per_epoch: int
    """How many batches an epoch has; the same in every process."""

    def batches(self) -> Iterator[B]:
        """The rest of the current epoch, from the current position; the next call begins the next epoch.

        Batches are on the device. What was prefetched and not taken is made again by the next call.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """The position after the batches that were taken; whole numbers and texts only. After an epoch's last batch
        it is the beginning of the next."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there: the same next batches, bit for bit on the same kind of machine.

        A state from another number of processes, or another batch size, is taken for a number of samples, rounded up
        to whole batches.
        """
        ...
