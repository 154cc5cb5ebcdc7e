"""A training from beginning to end: what ``dsfu-model train`` does."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch

from dsfu.errors import InputError
from dsfu.model.networks.build import options_of
from dsfu.model.problem import Learner, learner_of
from dsfu.model.store import opened_store
from dsfu.model.training.checkpoint import Checkpoints, load_checkpoint
from dsfu.model.training.config import Config
from dsfu.model.training.config_file import current_names, differences, save_config, values_of
from dsfu.model.training.distributed import Ranks, connected, ranks_of_environment
from dsfu.model.training.engine import TrainingEngine, device_named
from dsfu.model.training.epochs import BatchShare
from dsfu.model.training.loop import Outcome, Trainer, TrainerParts
from dsfu.model.training.outputs import Outputs
from dsfu.model.training.random_states import seed_all
from dsfu.model.training.recipes import Recipe, recipe_of
from dsfu.model.training.reporting import RunReporter, TrainingReporter
from dsfu.model.training.run_folder import CHECKPOINTS, claimed, telling_of_full_disks
from dsfu.model.training.schedule import Schedule
from dsfu.model.training.signals import StopRequests
from dsfu.model.training.sources import BatchSource
from dsfu.model.training.validation import Validation
from dsfu.model.weights.files import load_weights, weights_file

GOES_ON: Final = "goes-on"
"""File in the folder of a run that was stopped and wants to be continued; there is none while it trains, nor when it
is done or has failed."""

IDENTITY: Final = "manifest_sha256"

_BATCHES_OF_VALIDATION: Final = 16


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to train, and where.

    Attributes
    ----------
    store
        Folder or URL of a closed store.
    run
        Folder of everything that is written.
    resume
        "auto": from the run's newest checkpoint, if there is one; "none": from the beginning; or a checkpoint's path.
    start_from
        A file of weights to begin with, or the folder of a run, in the first session.
    """

    store: str
    run: Path
    config: Config
    resume: str = "auto"
    start_from: Path | None = None


def train(job: Job, requests: StopRequests) -> Outcome:
    """Train, alone or as one of the processes that torchrun started.

    Requests to stop that came before the first step are followed after it.
    """
    learner = _learner_of(job.store)
    ranks = ranks_of_environment()
    job = replace(job, config=_config_for(job, learner))
    device = device_named(job.config.device, ranks.local_rank)
    with connected(ranks, device), ExitStack() as held:
        held.enter_context(telling_of_full_disks(job.run))
        checkpoint = _checkpoint_of(job, ranks, held)
        trainer = _trainer(job, learner, ranks, device)
        if checkpoint is None:
            _begin(trainer, job, ranks)
        else:
            _continue(trainer, checkpoint)
        if ranks.is_first:  # not earlier: what is refused changes nothing
            save_config(job.config, job.run / "config.yaml")
        outcome = trainer.run(requests)
        if ranks.is_first and outcome is Outcome.STOPPED:
            (job.run / GOES_ON).write_text(f"step {trainer.progress.step}\n", encoding="utf-8")
        ranks.gathered(None)
        how = "Done" if outcome is Outcome.DONE else "Stopped, and the same command goes on"
        trainer.parts.reporter.say(f"{how}, at step {trainer.progress.step}: {job.run}")
        return outcome


def _config_for(job: Job, learner: Learner[Any]) -> Config:
    """Settings with everything that follows from the store."""
    config = job.config
    data = learner.data_for(job.store, config.data)
    default = options_of(config.recipe, {}, learner)
    following = {name: value for name, value in learner.network_for(data).items() if default.get(name, value) != value}
    return config.model_copy(update={"data": data, "network": {**following, **config.network}})


def _learner_of(url: str) -> Learner[Any]:
    """Who learns what is in a store. Makes sure that there is something to learn from."""
    store = opened_store(url)
    if "train" not in store.splits:
        raise InputError(
            "it has nothing to train on",
            where=url,
            expected=f"a split named train beside {', '.join(store.splits) or 'none'}",
        )
    return learner_of(store.problem)


def _checkpoint_of(job: Job, ranks: Ranks, held: ExitStack) -> dict[str, Any] | None:
    """The checkpoint to go on from, the same in all processes. The first of them holds the folder from here on."""
    chosen: tuple[Path | None, InputError | None] = (None, None)
    if ranks.is_first:
        try:
            held.enter_context(claimed(job.run))
            (job.run / GOES_ON).unlink(missing_ok=True)
            chosen = (_chosen_checkpoint(job), None)
        except InputError as error:
            chosen = (None, error)
    path, refused = ranks.gathered(chosen)[0]
    if refused is not None:
        raise refused
    return None if path is None else load_checkpoint(path)


def _chosen_checkpoint(job: Job) -> Path | None:
    if job.resume not in ("auto", "none"):
        return Path(job.resume)
    newest = Checkpoints(job.run / CHECKPOINTS).newest()
    if newest is not None and job.resume == "none":
        raise InputError(
            "there is a training in it already, which would be lost",
            where=str(job.run),
            expected="another --out, or --resume auto to go on with it",
        )
    return newest


def _trainer(job: Job, learner: Learner[Any], ranks: Ranks, device: torch.device) -> Trainer:
    config = job.config
    seed_all(config.seed, 0)  # the same initial weights in all processes
    recipe = recipe_of(config, TrainingEngine(config, device), ranks, learner)
    seed_all(config.seed, 1 + ranks.rank)
    source = _source(job, learner, ranks, device)
    schedule = Schedule(limits=config.limits, optimiser=config.optimiser, batches_per_epoch=source.batches_per_epoch)
    return Trainer(
        TrainerParts(
            config=config,
            recipe=recipe,
            source=source,
            ranks=ranks,
            run=job.run,
            outputs=Outputs(run=job.run, config=config, learner=learner, data=_facts_of(job.store)),
            reporter=RunReporter(job.run, schedule, learner.told) if ranks.is_first else TrainingReporter(),
            validation=_validation(job, learner, recipe, ranks),
        )
    )


def _begin(trainer: Trainer, job: Job, ranks: Ranks) -> None:
    if job.start_from is not None:
        network, card = load_weights(weights_file(job.start_from))
        wanted = trainer.parts.outputs.card(trainer.progress, {})
        options = _options_to_begin_with(card.network, wanted.network, trainer.recipe.network)
        if (card.problem, card.recipe, options) != (wanted.problem, wanted.recipe, wanted.network):
            raise InputError(
                f"its network is {card.recipe} with {card.network}",
                where=str(job.start_from),
                expected=f"{wanted.recipe} with {wanted.network}, as configured",
            )
        trainer.recipe.begin_with(network)
    weights = sum(weight.numel() for weight in trainer.recipe.network.parameters())
    trainer.parts.reporter.say(
        f"Training {job.config.recipe}, {weights / 1e6:.2f} million weights, on {trainer.recipe.engine.device} in "
        f"{trainer.recipe.engine.precision}, {ranks.world_size * job.config.batch_size} "
        f"{trainer.parts.outputs.learner.nouns} a step."
    )


def _options_to_begin_with(
    given: Mapping[str, Any], wanted: Mapping[str, Any], network: torch.nn.Module
) -> dict[str, Any]:
    """Options of a network's weights, without what the network adds to theirs: additions begin by changing nothing."""
    additions = getattr(network, "additions", {})
    added = {name: wanted[name] for name, none in additions.items() if given.get(name, none) == none}
    return {**given, **added}


def _continue(trainer: Trainer, checkpoint: dict[str, Any]) -> None:
    _refuse_another_network(trainer, checkpoint)
    trainer.resume(checkpoint)
    changed = differences(current_names(checkpoint["config"], trainer.parts.outputs.learner), values_of(trainer.config))
    store_of, store = (data.get(IDENTITY) for data in (checkpoint.get("data", {}), trainer.parts.outputs.data))
    if store_of not in (None, store):
        changed.append("samples: this is another data set than before")
    trainer.parts.reporter.say(
        f"Going on from step {trainer.progress.step}" + (f", with other {', '.join(changed)}." if changed else ".")
    )


def _refuse_another_network(trainer: Trainer, checkpoint: dict[str, Any]) -> None:
    """Tell that a folder holds the training of another network, before its weights are put into this one."""
    there, wanted = current_names(checkpoint["config"], trainer.parts.outputs.learner), values_of(trainer.config)
    names = ("recipe", "network")
    if any(name in there and there[name] != wanted.get(name) for name in names):
        told = ", ".join(f"{name} {there[name]}" for name in names if name in there)
        raise InputError(
            f"a training of another network is there: {told}",
            where=str(trainer.parts.run),
            expected=", ".join(f"{name} {wanted.get(name)}" for name in names),
            remedy="take another --out, or the settings of that training (its config.yaml) to go on with it",
        )


def _source(job: Job, learner: Learner[Any], ranks: Ranks, device: torch.device) -> BatchSource[Any]:
    part = BatchShare(batch_size=job.config.batch_size, rank=ranks.rank, world_size=ranks.world_size)
    return learner.source(job.store, "train", job.config.data, part, job.config.seed, device)


def _validation(job: Job, learner: Learner[Any], recipe: Recipe[Any], ranks: Ranks) -> Validation[Any] | None:
    """Samples of the validation split, drawn once; each process has its share of them."""
    wanted = job.config.watching.validation_samples
    if not wanted or "validation" not in opened_store(job.store).splits:
        return None
    samples = learner.samples(job.store, "validation", job.config.data, wanted, job.config.seed)
    mine = samples.indices[ranks.rank :: ranks.world_size].tolist()
    if not len(samples.indices):
        return None
    return Validation(batches=[samples.batch(some) for some in _parts(mine)], learner=learner, recipe=type(recipe))


def _parts(indices: Sequence[int]) -> list[Sequence[int]]:
    size = _BATCHES_OF_VALIDATION
    return [indices[first : first + size] for first in range(0, len(indices), size)]


def _facts_of(store_url: str) -> dict[str, Any]:
    """What identifies a store: the manifest that it was made from, word by word."""
    attributes = opened_store(store_url).attributes
    manifest = str(attributes.get("manifest", ""))
    return {"store": store_url, IDENTITY: hashlib.sha256(manifest.encode()).hexdigest()}
