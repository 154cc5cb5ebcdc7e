"""What dask-jobqueue is made to submit: the jobs' own scripts, and the scheduler's own words where it refuses.

The only module that imports dask-jobqueue, and that late."""

import asyncio
import re
import shlex
import shutil
from typing import Any, Final

from dsfu.cluster.job_script import worker_script
from dsfu.cluster.settings import ClusterSettings

SUBMIT_COMMANDS: Final = {"slurm": "sbatch", "pbs": "qsub", "lsf": "bsub", "sge": "qsub", "htcondor": "condor_submit"}

QUEUE_COMMANDS: Final = {"slurm": "squeue", "pbs": "qstat", "lsf": "bjobs", "sge": "qstat", "htcondor": "condor_q"}

SUBMIT_PATIENCE_SECONDS: Final = 120.0


class ClusterError(Exception):
    """Jobs cannot be had. Its text holds the scheduler's own words."""


def check_commands(settings: ClusterSettings) -> None:
    """Raise ClusterError if the scheduler's commands are not to be had here."""
    command = SUBMIT_COMMANDS[settings.scheduler]
    if shutil.which(command) is None:
        raise ClusterError(
            f"{command}: there is no such command here; is this a login node of a {settings.scheduler} cluster?"
        )


def words_of(error: Exception) -> str:
    """What the scheduler said, out of what dask-jobqueue makes of it."""
    text = str(error)
    _, found, stderr = text.partition("stderr:\n")
    words = stderr if found and stderr.strip() else text
    return re.sub(r"\s*\n\s*", "; ", words.strip())


def listening(interface: str | None) -> dict[str, str]:
    """Where the scheduler listens: on one network, the one that was named or that leads outside."""
    from distributed.utils import get_ip

    return {"interface": interface} if interface else {"host": get_ip()}


def dask_classes(settings: ClusterSettings, key: str, jobs: dict[str, Any], refusals: list[str]) -> tuple[Any, Any]:
    """Cluster and job of dask-jobqueue with our scripts, and without what it does about workers that leave."""
    import dask_jobqueue
    from distributed.core import Status
    from distributed.deploy.cluster import Cluster

    name = {"slurm": "SLURM", "pbs": "PBS", "lsf": "LSF", "sge": "SGE", "htcondor": "HTCondor"}[settings.scheduler]
    cluster_base: Any = getattr(dask_jobqueue, f"{name}Cluster")

    class OurJob(cluster_base.job_cls):  # type: ignore[misc]
        refused = False

        def job_script(self) -> str:
            return worker_script(settings, str(self.scheduler), str(self.name), key)

        async def start(self) -> None:
            jobs[str(self.name)] = self
            try:
                await asyncio.wait_for(super().start(), SUBMIT_PATIENCE_SECONDS)
            except (RuntimeError, ValueError, OSError, TimeoutError) as error:
                refusals.append(words_of(error) or f"no answer within {SUBMIT_PATIENCE_SECONDS:.0f} s")
                self.refused = True
                self.status = Status.running  # so much for Dask; `BatchJobs` sees to it

        async def close(self) -> None:
            await super().close()
            self.status = Status.closed

        async def _submit_job(self, script_filename: str) -> Any:
            if settings.scheduler == "lsf":  # it reads standard input; and its words must not get lost
                return await self._call([f"bsub < {shlex.quote(script_filename)}"], shell=True)
            return await super()._submit_job(script_filename)

    class OurCluster(cluster_base):  # type: ignore[misc]
        def _update_worker_status(self, op: str, msg: Any) -> None:
            Cluster._update_worker_status(self, op, msg)

    return OurCluster, OurJob
