"""What users hand to functions of the front door, checked where it comes in: names, and kinds of values."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from dsfu.errors import InputError, refuse_unknown

Settings = TypeVar("Settings")

_KINDS: Final[Mapping[Any, tuple[str, Callable[[Any], bool]]]] = {
    int: ("a whole number", lambda value: isinstance(value, Integral) and not isinstance(value, bool)),
    float: (
        "a finite number",
        lambda value: not isinstance(value, bool) and isinstance(value, Real) and bool(np.isfinite(float(value))),
    ),
    bool: ("True or False", lambda value: isinstance(value, bool | np.bool_)),
    str: ("text", lambda value: isinstance(value, str)),
    NoneType: ("None", lambda value: value is None),
}
"""Kinds of values that are checked, in words."""


def path_of(source: Any, expected: str) -> Path:
    """The path that was given; what is none is refused by its kind, with what was ``expected``."""
    if isinstance(source, str | Path):
        return Path(source)
    raise was_given(source, expected)


def was_given(source: Any, expected: str) -> InputError:
    """The refusal of an object by its kind."""
    kind = type(source).__name__
    return InputError(f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind} was given", expected=expected)


def names_of(given: str | Iterable[str], name: str) -> list[str]:
    """One text, or several, as a list."""
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, Iterable) or not all(isinstance(each, str) for each in several):
        raise InputError(f"{name} is {given!r}", expected="text, or several in a list")
    return list(several)


def check_kind(name: str, value: Any, hint: Any, where: str = "") -> None:
    """Refuse a value that is not of the kind its annotation says, as far as that is a simple one."""
    if not _fits(value, hint):
        raise InputError(f"{name} is {value!r}", where=where, expected=_words(hint))


def check_kinds(where: str, **given: tuple[Any, Any]) -> None:
    """The same of several keywords of a function: each name's value, and its annotation."""
    for name, (value, hint) in given.items():
        check_kind(name, value, hint, where)


@contextmanager
def refusals(where: str) -> Iterator[None]:
    """Have checks of arguments below the front door, ``name = value: expected …``, tell it as user's mistakes."""
    try:
        yield
    except ValueError as error:
        what, _, expected = str(error).partition(": expected ")
        if not expected:
            raise
        raise InputError(what, where=where, expected=expected) from error


def settings_of(kind: type[Settings], given: Mapping[str, Any], where: str) -> Settings:
    """Settings from keywords; a name that is not known, or a value of another kind, is told in the user's terms.

    Parameters
    ----------
    kind
        A dataclass, whose own checks raise ValueError.
    where
        The function whose keywords they are.
    """
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for name, value in given.items():
        refuse_unknown(name, known, where)
        check_kind(name, value, hints[name], where)
    with refusals(where):
        return kind(**given)


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return isinstance(value, str | int) and value in inner
    if origin is not None and isinstance(origin, type) and issubclass(origin, Sequence):
        return not isinstance(value, str) and isinstance(value, Iterable) and all(_fits(one, inner[0]) for one in value)
    return hint not in _KINDS or _KINDS[hint][1](value)


def _words(hint: Any) -> str:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(_words(each) for each in inner)
    if origin is Literal:
        return " or ".join(repr(each) for each in inner)
    if origin is not None:
        return f"several in a list, each {_words(inner[0])}"
    return _KINDS[hint][0] if hint in _KINDS else hint.__name__
