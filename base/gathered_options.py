"""Options that several verbs have in common: declared once, and handed to each verb as one mapping."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

Verb = Callable[..., None]


def gathered(verb: Verb, name: str, options: Mapping[str, Any]) -> Verb:
    """A verb with options, annotations by name, that it gets as one mapping, ``name``, without those not given."""

    @functools.wraps(verb)
    def wrapped(**values: Any) -> None:
        given = {option: values.pop(option) for option in options}
        said = {option: value for option, value in given.items() if value is not None and value != []}
        verb(**values, **{name: said})

    own = [each for each in inspect.signature(verb).parameters.values() if each.name != name]
    more = [
        inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for option, annotation in options.items()
    ]
    wrapped.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {
        **{each: kind for each, kind in verb.__annotations__.items() if each != name},
        **options,
    }
    return wrapped
