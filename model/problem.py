"""The contract between the model and a problem: what training and evaluation ask of it, and know nothing else of it.

A problem is a folder ``model/problems/<name>`` whose module ``problem`` has a `LEARNER`. Programs of others announce
theirs as an entry point of the group ``dsfu.learners``. docs/architecture.md shows how to add one in an afternoon.
"""

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

import numpy.typing as npt

from dsfu.errors import InputError, near_miss
from dsfu.model import problems
from dsfu.model.store import OLDEST_PROBLEM, StoreSplit
from dsfu.simulate.arrays import IntArray

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from dsfu.model.evaluation.options import Evaluated, EvaluationOptions, Watch
    from dsfu.model.training.epochs import BatchShare
    from dsfu.model.training.recipes import Recipe
    from dsfu.model.training.sources import BatchSource
    from dsfu.panels import Panel
    from dsfu.settings.section import Section

GROUP: Final = "dsfu.learners"
"""Entry points of problems that are not in this package; each is a `Learner`."""


class BatchLike(Protocol):
    """What a problem's batch has to be able to do: say how many samples it has, and go to a device."""

    def __len__(self) -> int: ...
    def to(self, device: "torch.device | str", /) -> Self: ...


B = TypeVar("B", bound=BatchLike)


@dataclass(frozen=True, kw_only=True)
class RecipeEntry:
    """A recipe in the table of its problem. Nothing of it is loaded before it is wanted.

    Attributes
    ----------
    recipe, network
        ``module:class`` of the `Recipe`, and of what makes its network; options of that are ``network`` of a training.
    settings
        What can be set about it alone: a section of a training's settings with the recipe's name.
    defaults
        What it sets differently from all others, as nested settings.
    """

    recipe: str
    network: str
    settings: "type[Section] | None" = None
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def load_recipe(self) -> "type[Recipe[Any]]":
        loaded: type[Recipe[Any]] = _loaded(self.recipe)
        return loaded

    def load_network(self) -> "type[nn.Module]":
        loaded: type[nn.Module] = _loaded(self.network)
        return loaded


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """What kind each sample is of: one way of dividing samples in a report.

    Attributes
    ----------
    values
        (samples,), text.
    order
        In which kinds are listed; those that are not in it come after, by the alphabet.
    """

    values: npt.NDArray[Any]
    order: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class OnnxForm:
    """A network as it is written for other programs: names of its inputs and outputs, and inputs to try it with.

    Attributes
    ----------
    module
        The network; its ``forward`` has the inputs by these names, in this order.
    example
        Inputs for a number of samples. Their first dimension counts samples, and may be any number in the file.
    """

    module: "nn.Module"
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    example: "OnnxExample"


class OnnxExample(Protocol):
    """Makes inputs for a number of samples."""

    def __call__(self, samples: int, /) -> "tuple[Tensor, ...]": ...


class Samples(ABC, Generic[B]):
    """Some samples of a split, to watch or evaluate a network on: the same ones in every batch, with the truth."""

    split: StoreSplit

    @property
    @abstractmethod
    def indices(self) -> IntArray:
        """Which samples of the split, rising."""

    @abstractmethod
    def batch(self, indices: Sequence[int], device: "torch.device | str" = "cpu") -> B:
        """Some of them, by their indices in the split."""


class Learner(ABC, Generic[B]):
    """A problem as training and evaluation see it; ``B`` is its batch.

    Attributes
    ----------
    name
        As in the store, and of its folders.
    noun, nouns
        What a sample is called, and several: for messages and reports.
    recipes
        By name; the first is taken if none is named.
    data
        The section ``data`` of a training's settings; everything in it has a default.
    named_data
        Words that stand for a section within ``data``, by its name, with what they stand for.
    older_settings
        Dotted names that settings had in earlier releases, and have now.
    """

    name: ClassVar[str]
    noun: ClassVar[str] = "sample"
    nouns: ClassVar[str] = "samples"
    recipes: ClassVar[Mapping[str, RecipeEntry]]
    data: "ClassVar[type[Section]]"
    named_data: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    older_settings: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def batch(self, split: StoreSplit, indices: Sequence[int], data: Any, device: "torch.device | str") -> B:
        """Samples of a store with the truth about them, the same ones whenever the indices are."""

    @abstractmethod
    def scores(self, answer: Any, batch: B) -> "Mapping[str, Tensor]":
        """How good a recipe's answer is: tensors (samples,) by name. ``score`` is among them; lower is better."""

    def source(
        self, url: str, split: str, data: Any, part: "BatchShare", seed: int, device: "torch.device"
    ) -> "BatchSource[B]":
        """Batches to train on; unless it is said otherwise, the samples of the store, read by `batch`."""
        from dsfu.model.training.stored import StoredSource

        return StoredSource(self, url, split, data, part, seed, device)

    def samples(self, url: str, split: str, data: Any, limit: int, seed: int) -> Samples[B]:
        """At most so many samples (0: all), drawn at random, as they are watched and evaluated: not augmented."""
        from dsfu.model.training.stored import DrawnSamples

        return DrawnSamples(self, url, split, data, limit, seed)

    def labels(self, split: StoreSplit, indices: IntArray) -> Mapping[str, Labels]:
        """By what samples can be divided in a report, by its title."""
        return {}

    def title(self, split: StoreSplit, index: int) -> str:
        """What one sample is, in a line of a report."""
        return f"{self.noun} {index}"

    def panels(self, answer: Any, batch: B) -> "Sequence[Sequence[Panel]]":
        """What is shown of each sample of a batch: input, answer, truth. The same titles for all."""
        return [[] for _ in range(len(batch))]

    def sample_panels(self, sample: Mapping[str, Any]) -> "Sequence[Panel] | None":
        """What is shown of a sample, given by all that the store holds of it; None for each of its arrays as it is."""
        return None

    def told(self, errors: Mapping[str, float]) -> str:
        """Means of the scores of a validation, in a line."""
        return f"score {errors['score']:.4g}"

    def data_for(self, url: str, data: Any) -> Any:
        """Settings of the data with everything that follows from a store, before anything else is done with them."""
        return data

    def network_for(self, data: Any) -> Mapping[str, Any]:
        """Options of networks that follow from the settings of the data; those that a network has are set, unless the
        training's settings say otherwise."""
        return {}

    def check_fits(self, network: "nn.Module", data: Any, device: "torch.device") -> None:
        """Make sure that a network takes samples as they are wanted, before anything is written."""
        return

    def card(self, data: Any) -> Mapping[str, Any]:
        """What the card of weights says beside what all cards say."""
        return {}

    def onnx(self, network: "nn.Module", card: Mapping[str, Any]) -> OnnxForm | None:
        """How a network is written as ONNX, if that is offered. ``card`` is what `card` gave."""
        return None

    def evaluation_name(self, chosen: Mapping[str, Any]) -> str:
        """The folder of an evaluation within that of a run; ``chosen`` are the problem's own options."""
        return "evaluation"

    def evaluate(
        self, run: Path, store: str, out: Path, options: "EvaluationOptions", chosen: Mapping[str, Any], watch: "Watch"
    ) -> "Evaluated":
        """Evaluate weights on a split and write the reports; what `scores`, `labels` and `panels` say, by default.

        ``chosen`` are options that the problem adds to the verb: ``EVALUATION_OPTIONS`` of its module ``commands``.
        """
        from dsfu.model.evaluation.evaluate import evaluate

        return evaluate(self, run, store, out, options, watch)

    def entry(self, recipe: str) -> RecipeEntry:
        """A recipe of the problem by name."""
        if recipe not in self.recipes:
            near = near_miss(recipe, self.recipes)
            raise InputError(
                f"it is {recipe!r}",
                where="recipe",
                expected=f"{' or '.join(self.recipes)}, for the problem {self.name}",
                remedy=f"did you mean {near}?" if near else "",
            )
        return self.recipes[recipe]

    @property
    def default_recipe(self) -> str:
        return next(iter(self.recipes))


def learner_of(problem: str = OLDEST_PROBLEM) -> Learner[Any]:
    """The learner of a problem by name."""
    for name, load in _known():
        if name == problem:
            return load()
    names = sorted(name for name, _ in _known())
    near = near_miss(problem, names)
    raise InputError(
        f"there is nothing here that learns the problem {problem!r}",
        expected=f"one of {', '.join(names)}",
        remedy=f"did you mean {near}?" if near else "install the package that has it",
    )


def _known() -> "Iterator[tuple[str, _Load]]":
    for folder in pkgutil.iter_modules(problems.__path__):
        module = f"{problems.__name__}.{folder.name}.problem"
        if folder.ispkg and find_spec(module):
            yield folder.name, _Load(f"{module}:LEARNER")
    for point in entry_points(group=GROUP):
        yield point.name, _Load(point.value)


@dataclass(frozen=True)
class _Load:
    value: str

    def __call__(self) -> Learner[Any]:
        learner: Learner[Any] = _loaded(self.value)
        return learner


def _loaded(value: str) -> Any:
    """What ``module:name`` is."""
    module, _, name = value.partition(":")
    return getattr(import_module(module), name)
