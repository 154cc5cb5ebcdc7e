"""What can be set about any training, whatever it learns. docs/training.md explains it to users."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dsfu.settings.section import Section, Share

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]
Minutes = Annotated[float, Field(ge=0, le=10_000_000)]


class TrainingLimits(Section):
    """When a training is done: whichever comes first. 0 is no limit."""

    epochs: Count = Field(default=0, description="Passes over the data.")
    steps: Count = Field(default=0, description="Updates of the weights.")
    minutes: Minutes = Field(
        default=0.0,
        description="Time spent training, all sessions together. What is trained then depends on the machine's speed.",
    )
    session_minutes: Minutes = Field(
        default=0.0,
        description="After so many minutes a process keeps a checkpoint and stops, to be continued by the next.",
    )


class OptimiserConfig(Section):
    """How weights are updated."""

    learning_rate: Share = Field(default=6e-4, description="The highest.")
    muon: Share = Field(
        default=0.0,
        description="The highest rate of Muon, which then updates hidden convolutions; 0: AdamW updates everything.",
    )
    beta_1: Share = 0.9
    beta_2: Share = 0.95
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.02
    warm_up_steps: Count = Field(default=300, description="Steps in which the rate rises to its highest, linearly.")
    schedule: Literal["cosine", "constant"] = Field(
        default="cosine", description="cosine: down to final_share at the end of the training; constant: as it is."
    )
    final_share: Share = Field(default=0.01, description="Of the highest rate, at the end.")
    clip_norm: Annotated[float, Field(ge=0, le=1_000_000)] = Field(
        default=1.0, description="Gradients that are longer are shortened to this; 0: never."
    )
    ema_decay: Share = Field(
        default=0.999,
        description="Weights that are used are an exponential moving average with this decay; 0: the last ones.",
    )


class Watching(Section):
    """What is kept and shown while training."""

    checkpoint_minutes: Annotated[float, Field(ge=0, le=1_000_000)] = Field(
        default=10.0, description="Time between checkpoints."
    )
    log_steps: AtLeastOne = Field(
        default=20, description="Losses are logged, and looked at for NaN, every so many steps."
    )
    validation_samples: Count = Field(
        default=128, description="Samples of the split validation on which the network is watched; 0: none."
    )
    validation_steps: Count = Field(default=0, description="Steps between two looks at them; 0: after every epoch.")
    pictures: Count = Field(default=4, description="Of how many of these samples pictures are drawn.")


class Config(Section):
    """A training as a whole. The problem that is learnt adds its recipes' sections, by their names, and its data's."""

    recipe: str = Field(description="Network and losses, by their name in the problem's table.")
    seed: Count = Field(default=1, description="Of the initial weights and of the order of the data.")
    batch_size: AtLeastOne = Field(default=16, description="Samples in a batch of each process.")
    network: dict[str, Any] = Field(default_factory=dict, description="Options of the recipe's network.")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: a GPU if there is one.")
    precision: Precision = Field(
        default="auto", description="Of the network's products; auto: bf16 on GPUs that have it and fp32 elsewhere."
    )
    channels_last: bool = Field(
        default=True, description="Keep the channels of a point together in memory, which GPUs are faster with."
    )
    compile: bool = Field(default=False, description="Let torch compile the networks.")
    limits: TrainingLimits = TrainingLimits()
    optimiser: OptimiserConfig = OptimiserConfig()
    watching: Watching = Watching()
    data: Any = Field(description="Where samples come from, and what is done to them.")

    @property
    def sections(self) -> Mapping[str, Any]:
        """Settings of the problem's recipes by their names, as far as they have any."""
        return {name: getattr(self, name) for name in type(self).model_fields if name not in Config.model_fields}
