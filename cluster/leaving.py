"""How the worker of a batch job leaves before its time is over. Only what a job runs imports this: it imports Dask."""

import asyncio
import time
from typing import Any, Final

from distributed import Status, Worker

_TRIES: Final = 5
_BETWEEN_TRIES_SECONDS: Final = 1.0


class LeavingWorker(Worker):  # type: ignore[misc]  # Dask has no types
    """Leaves so that what it was making counts as unfinished, never as its fault.

    Dask's own worker does that only if another one can take its results over. The last one to leave, or several at
    once, would be taken for dead.
    """

    async def close_gracefully(self, restart: bool | None = None, reason: str = "worker-close-gracefully") -> None:
        if self.status not in (Status.running, Status.paused):
            await super().close_gracefully(restart=restart, reason=reason)
            return
        if not await self._hand_over():
            await self._tell_scheduler("unregister", address=self.address, expected=True, close=False)
        await self.close(reason=reason)

    async def _hand_over(self) -> bool:
        """Whether the scheduler has let this worker go: its results were fetched, or others have them."""
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
            if await self._tell_scheduler("retire_workers", workers=[self.address], close_workers=False, remove=True):
                return True
        return False

    async def _tell_scheduler(self, what: str, **more: Any) -> Any:
        return await getattr(self.scheduler, what)(stimulus_id=f"leaving-{time.time()}", **more)
