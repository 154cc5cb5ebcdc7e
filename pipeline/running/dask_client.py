"""Dask's client, closed by whoever made it and by nothing else."""

from distributed import Client


class OwnClient(Client):  # type: ignore[misc]
    """A client that is not closed where Python happens to collect it.

    Dask closes a client that was left, or whose closing was given up, when it is collected. That can be in the middle
    of the start of another client or cluster, in the same thread. The start holds the lock that closing waits for, so
    that both stand still for ever.
    """

    def __del__(self) -> None:
        pass
