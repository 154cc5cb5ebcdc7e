"""Options that problems add to a verb: declared in their module ``commands``, and taken for stores of theirs alone."""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from dsfu.errors import InputError
from dsfu.model import problems


@dataclass(frozen=True, kw_only=True)
class AddedOption:
    """An option as typer wants it: ``annotation`` is ``Annotated[type, typer.Option(…)]``."""

    name: str
    default: Any
    annotation: Any


def added_options(table: str) -> dict[str, tuple[AddedOption, ...]]:
    """What the problems of this package add, by problem; ``table`` is the name of a tuple in their ``commands``."""
    found = {}
    for folder in pkgutil.iter_modules(problems.__path__):
        module = f"{problems.__name__}.{folder.name}.commands"
        if folder.ispkg and find_spec(module):
            found[folder.name] = tuple(getattr(import_module(module), table, ()))
    return found


def with_added_options(verb: Callable[..., None], options: Mapping[str, tuple[AddedOption, ...]]) -> Any:
    """The verb with all these options; it gets those that were given as one mapping ``chosen``."""
    every = {option.name: option for of_problem in options.values() for option in of_problem}

    @wraps(verb)
    def called(**given: Any) -> None:
        values = {name: given.pop(name) for name in every}
        verb(**given, chosen={name: value for name, value in values.items() if value != every[name].default})

    own = inspect.signature(verb)
    kept = [each for each in own.parameters.values() if each.name != "chosen"]
    added = [
        inspect.Parameter(
            option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=option.annotation
        )
        for option in every.values()
    ]
    called.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in (*kept, *added)} | {"return": None}
    return called


def check_chosen(
    chosen: Mapping[str, Any], problem: str, options: Mapping[str, tuple[AddedOption, ...]]
) -> Mapping[str, Any]:
    """Make sure that the options that were given are of this problem."""
    known = [option.name for option in options.get(problem, ())]
    for name in chosen:
        if name not in known:
            raise InputError(
                f"data sets of the problem {problem} have no such option",
                where=f"--{name.replace('_', '-')}",
                expected=", ".join(f"--{each.replace('_', '-')}" for each in known) or "none of this kind",
            )
    return chosen
