"""What settings are declared with, in manifests, trainings and site files alike: sections, and kinds of values."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


def refuse(what: str, *at: str | int, expected: str = "", remedy: str = "") -> PydanticCustomError:
    """An error about a field or an item of what is being validated, for `messages` to tell."""
    return PydanticCustomError("refused", "{what}", {"what": what, "at": at, "expected": expected, "remedy": remedy})


Number = TypeVar("Number", int, float)


def ordered(ends: tuple[Number, Number]) -> tuple[Number, Number]:
    """A range of which the lower end comes first."""
    low, high = ends
    if low > high:
        raise refuse(
            f"the lower end {low:g} is above the upper end {high:g}",
            expected="the lower end first",
            remedy=f"write [{high:g}, {low:g}]",
        )
    return ends


def whole(value: Any) -> Any:
    """Python takes True and 1.0 for 1, and so do literals; settings do not."""
    if type(value) is not int:
        raise PydanticCustomError("not_whole", "expected a whole number")
    return value


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise refuse("a name with control characters, or with spaces around it", expected="a plain path or URL")
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_printable)]


Share = Annotated[float, Field(ge=0, le=1)]
"""A probability, or a part of a whole."""

NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Range = Annotated[tuple[NotNegative, NotNegative], AfterValidator(ordered)]
PositiveRange = Annotated[tuple[Positive, Positive], AfterValidator(ordered)]


class Section(BaseModel):
    """Base of all sections: immutable, nothing unknown, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
