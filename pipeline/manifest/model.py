"""What every manifest may say, whatever it is of. `loading` reads the file."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dsfu.settings.section import Name, PathText, Section, refuse, whole


def _is_url_or_path(text: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/?(?!/)", text)
    if scheme:
        raise refuse(
            f"{text} is neither a folder nor a URL",
            expected="a folder, or a URL such as s3://bucket/name",
            remedy=f"write {scheme[1]}://{text[scheme.end() :]}",
        )
    return text


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
