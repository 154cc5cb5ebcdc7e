"""Starts workers as jobs of a batch system, and looks after them: what ends is replaced, what goes wrong is told.

dask-jobqueue submits, cancels and scales, with what `dsfu.cluster.submitting` makes of its classes.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from dsfu.cluster.credentials import CredentialsError, KeyFile, security_of
from dsfu.cluster.dashboard import CLOSED_AT_ONCE, open_dashboard
from dsfu.cluster.queue import GONE, TAKEN_AWAY, JobState, job_states
from dsfu.cluster.settings import ClusterSettings
from dsfu.cluster.submitting import (
    QUEUE_COMMANDS,
    SUBMIT_COMMANDS,
    ClusterError,
    check_commands,
    dask_classes,
    listening,
)

LOOK_SECONDS: Final = 2.0
ASK_SECONDS: Final = 0.4
RESUBMIT_AFTER_SECONDS: Final = 30.0
GONE_AFTER_SECONDS: Final = 15.0
"""A job whose workers have all left is over after so long, where the scheduler cannot be asked."""

ENDING_SECONDS: Final = 20.0
"""A job that is ending is waited for so long: only then does the scheduler say how it ended."""

MOST_STILLBORN: Final = 3
"""Jobs that may end without a single worker before we stop submitting more."""

_LOG_LINES: Final = 8


class BatchJobs:
    """Workers in jobs of a batch system, as many as the settings say.

    Parameters
    ----------
    note
        Is told, in a sentence, what happens to the jobs.

    Attributes
    ----------
    cluster
        For a Dask client to connect to.
    dashboard
        Where Dask's dashboard is, if there is one.
    """

    def __init__(
        self, settings: ClusterSettings, note: Callable[[str], None], dashboard_address: str | None = None
    ) -> None:
        check_commands(settings)
        Path(settings.log_dir).mkdir(parents=True, exist_ok=True)
        self._settings, self._note = settings, note
        self._jobs: dict[str, Any] = {}
        self._past: dict[str, Any] = {}
        self._refusals: list[str] = []
        self._worked: set[str] = set()
        self._silent_since: dict[str, float] = {}
        self._ending_since: dict[str, float] = {}
        self._states: dict[str, JobState] = {}
        self._stillborn = 0
        self._asked = self._looked = self._resubmit_at = 0.0
        self._without_workers_since = time.monotonic()
        self._said_pending = 0.0
        try:
            self._key = KeyFile(Path(settings.log_dir))
        except (CredentialsError, OSError) as error:
            raise ClusterError(str(error)) from error
        try:
            self.cluster = self._start()
        except BaseException:
            self._key.close()
            raise
        try:
            self.dashboard = open_dashboard(self.cluster, dashboard_address)
            self._scale()
        except BaseException:
            self.close(timeout=10)
            raise

    @property
    def description(self) -> str:
        settings = self._settings
        number = f"{settings.fewest_jobs} to {settings.most_jobs}" if settings.adaptive else str(settings.most_jobs)
        cores = "1 core" if settings.cores == 1 else f"{settings.cores} cores"
        return f"{number} {settings.scheduler} {'job' if number == '1' else 'jobs'} of {cores}"

    def look_after(self) -> str | None:
        """Replace jobs that have ended, and speak of those that wait. To be called often.

        Returns
        -------
        In words, why there is no use in going on, if so.
        """
        now = time.monotonic()
        if now < self._looked + LOOK_SECONDS:
            return None
        names = self._names_of_workers()
        self._worked |= names
        self._ask()
        trouble = self._settle_refusals(now) or self._settle_ended(names, now)
        self._speak_of_pending(names, now)
        self._looked = time.monotonic()
        return trouble

    def why_lost(self, worker_name: str) -> tuple[str, bool] | None:
        """How the job of a lost worker ended, and whether what it did may be to blame; None if it goes on."""
        name = self._job_name_of(worker_name)
        job = self._jobs.get(name) or self._past.get(name)
        if job is None or not job.job_id:
            return None
        for _ in range(10):
            self._ask()
            state = self._states.get(job.job_id)
            if state is None or state.alive:
                return None
            if not state.ending:
                return f"its job {job.job_id} ended ({state})", state.state not in TAKEN_AWAY
            time.sleep(0.5)
        return f"its job {job.job_id} is ending", False

    def close(self, timeout: float | None = None) -> None:
        """End all jobs."""
        try:
            self.cluster.close(timeout=timeout)
        finally:
            self._key.close()

    def _start(self) -> Any:
        key = str(self._key.path)
        cluster_class, job_class = dask_classes(self._settings, key, self._jobs, self._refusals)
        try:
            return cluster_class(
                job_cls=job_class,
                security=security_of(key),
                cores=self._settings.cores,
                processes=self._settings.cores,
                memory=self._settings.memory_of_job_mib * 2**20,
                interface=self._settings.interface,
                scheduler_options={
                    **listening(self._settings.interface),
                    "dashboard": False,
                    "dashboard_address": CLOSED_AT_ONCE,
                },
                **({"disk": "2GB"} if self._settings.scheduler == "htcondor" else {}),
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise ClusterError(f"the driver cannot be started: {error}") from error

    def _ask(self) -> None:
        """Ask the scheduler for the states of all jobs, but not time and again when many workers are lost at once."""
        if time.monotonic() > self._asked + ASK_SECONDS:
            answer = job_states(self._settings.scheduler, self._settings.job_name)
            if answer is not None:
                lately = {number for number, state in self._states.items() if state.alive or state.ending}
                self._states.update({**dict.fromkeys(lately, GONE), **answer})
            self._asked = time.monotonic()

    def _scale(self) -> None:
        settings = self._settings
        if settings.adaptive:
            self.cluster.adapt(minimum_jobs=settings.fewest_jobs, maximum_jobs=settings.most_jobs, interval="2s")
        else:
            self.cluster.scale(jobs=settings.most_jobs)

    def _names_of_workers(self) -> set[str]:
        workers = list(self.cluster.scheduler_info["workers"].values())
        return {self._job_name_of(str(worker["name"])) for worker in workers}

    def _job_name_of(self, worker_name: str) -> str:
        return worker_name if self._settings.cores == 1 else worker_name.rpartition("-")[0]

    def _settle_refusals(self, now: float) -> str | None:
        refused = [name for name, job in list(self._jobs.items()) if job.refused]
        if refused:
            words = self._refusals[-1]
            if not any(job.job_id for job in [*self._jobs.values(), *self._past.values()]):
                return f"{SUBMIT_COMMANDS[self._settings.scheduler]} refuses the job: {words}"
            self._note(f"A job was refused, and will be tried again: {words}")
            self._drop(refused)
            self._resubmit_at = now + RESUBMIT_AFTER_SECONDS
        if self._resubmit_at and now > self._resubmit_at:
            self._resubmit_at = 0.0
            self._refill()
        return None

    def _settle_ended(self, names: set[str], now: float) -> str | None:
        ended = [name for name, job in list(self._jobs.items()) if job.job_id and self._has_ended(name, names, now)]
        for name in ended:
            job_id = self._jobs[name].job_id
            state = self._states.get(job_id)
            if name not in self.cluster.worker_spec:
                continue  # we have sent it home ourselves
            if name in self._worked:
                self._stillborn = 0
                self._note(f"Job {job_id} has ended{f' ({state})' if state else ''}; another takes its place.")
            elif state is None or state.state not in TAKEN_AWAY:
                self._stillborn += 1
                if self._stillborn >= MOST_STILLBORN:
                    return (
                        f"{self._stillborn} jobs in a row ended before a worker of theirs reported to the driver, "
                        f"the last of them job {job_id}{f' ({state})' if state else ''}{self._end_of_log(job_id)}"
                    )
        if ended:
            self._drop(ended)
            if not self._resubmit_at:
                self._refill()
        return None

    def _has_ended(self, name: str, names: set[str], now: float) -> bool:
        job_id = self._jobs[name].job_id
        state = self._states.get(job_id)
        if state is not None and state.ending:
            return now > self._ending_since.setdefault(job_id, now) + ENDING_SECONDS
        if state is not None:
            return not state.alive
        if name in names or name not in self._worked:
            self._silent_since.pop(name, None)
            return False
        return now > self._silent_since.setdefault(name, now) + GONE_AFTER_SECONDS

    def _drop(self, names: Sequence[str]) -> None:
        """Forget jobs that are no more, so that others are asked for."""

        async def forget() -> None:
            for name in names:
                self.cluster.worker_spec.pop(name, None)
                job = self.cluster.workers.pop(name, None)
                if job is not None:
                    await job.close()

        self.cluster.sync(forget)
        for name in names:
            self._past[name] = self._jobs.pop(name)
            # Dask gives the name of its last job again: who gets it has not worked yet, and may wait in the queue.
            self._worked.discard(name)
            self._silent_since.pop(name, None)

    def _refill(self) -> None:
        if not self._settings.adaptive:
            self.cluster.scale(jobs=self._settings.most_jobs)

    def _speak_of_pending(self, names: set[str], now: float) -> None:
        if names:
            self._without_workers_since, self._said_pending = now, 0.0
            return
        waited = now - self._without_workers_since
        patience = self._settings.say_pending_seconds
        if waited < patience or now < self._said_pending + 10 * patience:
            return
        waiting = [job.job_id for job in list(self._jobs.values()) if job.job_id]
        if waiting:
            self._said_pending = now
            self._note(f"No worker for {waited:.0f} s; still waiting. {self._words_for(waiting)}")

    def _words_for(self, waiting: Sequence[str]) -> str:
        told = [f"job {job_id}: {self._states[job_id]}" for job_id in waiting[:5] if job_id in self._states]
        if told:
            more = f"; and {len(waiting) - 5} more" if len(waiting) > 5 else ""
            return f"{self._settings.scheduler.upper()} says: {'; '.join(told)}{more}"
        return f"{QUEUE_COMMANDS[self._settings.scheduler]} tells of job {', '.join(waiting[:5])}"

    def _end_of_log(self, job_id: str) -> str:
        folder = Path(self._settings.log_dir)
        for path in sorted(each for each in folder.glob(f"*{job_id}*") if each.is_file()):
            lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return f"; {path} ends with:\n" + "\n".join(f"    {line}" for line in lines[-_LOG_LINES:])
        return f"; its output should be in {folder}"
