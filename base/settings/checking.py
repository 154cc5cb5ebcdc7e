"""Values checked against a model of settings: the settings, or everything that is wrong, told where it stands."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dsfu.errors import InputError
from dsfu.settings.messages import meant_by, path_of, problem_of
from dsfu.settings.section import Section
from dsfu.yaml.document import Document, KeyPath

DocumentOf = Callable[[KeyPath], Document]
"""Which of several documents a value came from."""

_MOST_TOLD: Final = 1000
"""Wrong values that are put in words; of more, only the number is told."""

S = TypeVar("S", bound=Section)


def checked(model: type[S], values: Any, documents: Sequence[Document], problems: Sequence[InputError] = ()) -> S:
    """Settings from values that several documents gave, of which later ones count more.

    ``problems`` are told together with what the model has against the values.
    """

    def document_of(path: KeyPath) -> Document:
        return next((each for each in reversed(documents) if each.gives(path)), documents[0])

    try:
        settings = model.model_validate(values)
    except ValidationError as error:
        told, further = wrong_values(error, model, document_of)
        order = {id(document): number for number, document in enumerate(documents)}
        found = sorted(told, key=lambda path: (order[id(document_of(path))], document_of(path).place(path)))
        every = [*problems, *(told[path] for path in found)]
        raise InputError.together(every, where=documents[-1].source, further=further) from None
    if problems:
        raise InputError.together(problems, where=documents[-1].source)
    return settings


def wrong_values(
    error: ValidationError, model: type[Section], document_of: DocumentOf
) -> tuple[dict[KeyPath, InputError], int]:
    """What a model has against values, by their paths, and how many further there are."""
    every = _news(error, model, document_of)
    told: dict[KeyPath, InputError] = {}
    for details in every[:_MOST_TOLD]:
        path = path_of(details)
        told.setdefault(path, problem_of(details, document_of(path), model))
    return told, len(every[_MOST_TOLD:])


def _news(error: ValidationError, model: type[Section], document_of: DocumentOf) -> list[ErrorDetails]:
    """All but what has been said already or goes without saying, in the order of lines."""
    every = error.errors(include_url=False)
    # A list that is too short because its items are of no use is not a mistake of its own.
    blamed_on_items = {each["loc"][:length] for each in every for length in range(len(each["loc"]))}
    # Nor is a key missing that is there with its name misspelt.
    misspelt = {meant_by(each["loc"], model) for each in every[:_MOST_TOLD] if each["type"] == "extra_forbidden"}

    def is_new(details: ErrorDetails) -> bool:
        path, kind = path_of(details), details["type"]
        unusable = document_of(path).unusable
        if any(path[:length] in unusable for length in range(1, len(path) + 1)):
            return False
        return not (kind == "too_short" and path in blamed_on_items) and not (kind == "missing" and path in misspelt)

    return sorted(filter(is_new, every), key=lambda details: document_of(path_of(details)).place(path_of(details)))
