"""What every manifest may say, whatever it is of, and what sections are made of. `loading` reads the file."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
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
    """Python takes True and 1.0 for 1, and so do literals; manifests do not."""
    if type(value) is not int:
        raise PydanticCustomError("not_whole", "expected a whole number")
    return value


def _printable(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise refuse("a name with control characters, or with spaces around it", expected="a plain path or URL")
    return text


def _is_url_or_path(text: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/?(?!/)", text)
    if scheme:
        raise refuse(
            f"{text} is neither a folder nor a URL",
            expected="a folder, or a URL such as s3://bucket/name",
            remedy=f"write {scheme[1]}://{text[scheme.end() :]}",
        )
    return text


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]
PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_printable)]


class Section(BaseModel):
    """Base of all sections: immutable, nothing unknown, nothing converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Manifest(Section):
    """A data set, declared: the keys that all manifests have. A problem adds sections of its own."""

    version: Annotated[Literal[1], BeforeValidator(whole)] = Field(description="Format of the manifest.")
    problem: str = Field(description="What is simulated.")
    name: Name = Field(description="What the data set is called.")
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        description="All random numbers derive from it; another seed makes another data set of the same kind."
    )
    store: Annotated[PathText, AfterValidator(_is_url_or_path)] = Field(
        description="Folder or URL (s3://…) where the data set goes, unless --store says otherwise."
    )

    def to_dict(self) -> dict[str, Any]:
        """All values, defaults included, as JSON can hold them."""
        return self.model_dump(mode="json")
