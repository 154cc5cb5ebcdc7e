"""Read a closed store, whatever problem it is of: splits, their columns and arrays, and the settings it was made with.

Needs numpy and zarr only. It is the one place where the model opens a store; a problem that knows more of its samples
puts that on top (`dsfu.model.shards` for planes of diffuse scattering).
"""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import zarr

from dsfu.errors import InputError, near_miss
from dsfu.files import refuse_mistyped_url
from dsfu.simulate.arrays import IntArray
from dsfu.simulate.fields import SETTINGS_FILE
from dsfu.yaml.reader import read_yaml_text

FORMAT_VERSION: Final = 1
"""Version of the store's format that this release reads."""

OLDEST_PROBLEM: Final = "disorder"
"""The problem of stores, weights and settings that name none: they are from before there were several."""


Column = npt.NDArray[Any]


class ClosedStore:
    """A closed store. Opens on first use, and again after it was sent to another process."""

    def __init__(self, url: str | Path, storage_options: Mapping[str, Any] | None = None) -> None:
        self.url = str(url)
        self._storage_options = dict(storage_options or {})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.url, self._storage_options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    @cached_property
    def group(self) -> zarr.Group:
        """The root group, as zarr reads it.

        Raises
        ------
        FileNotFoundError
            There is no closed store.
        InputError
            Its format is not the one that this release reads.
        """
        try:
            group = zarr.open_group(
                self.url,
                mode="r",
                zarr_format=3,  # arrays of version 2 may name codecs that run code
                storage_options=self._storage_options or None,
            )
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{self.url}: no closed store; expected a folder or URL in which a run has finished "
                "(a run that was interrupted closes the store when it is started again)"
            ) from error
        _check_version(group.attrs.asdict(), self.url)
        return group

    @property
    def attributes(self) -> dict[str, Any]:
        """Manifest, versions and format of the store."""
        return self.group.attrs.asdict()

    @property
    def problem(self) -> str:
        """Name of the problem whose samples it holds."""
        return str(self.attributes.get("problem") or OLDEST_PROBLEM)

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits."""
        return tuple(self.attributes["splits"])

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """All settings of the manifest, with the defaults that it leaves out.

        Older stores do not hold them; of these it is what the manifest itself says.
        """
        text = self._text(SETTINGS_FILE)
        if text is not None:
            try:
                return _mapping(_mapping(json.loads(text)).get("settings"))
            except (ValueError, RecursionError) as error:
                where = f"{self.url}/{SETTINGS_FILE}"
                raise InputError("it is damaged", where=where, remedy="dsfu-pipeline verify tells more") from error
        return read_yaml_text(str(self.attributes.get("manifest", "")), f"the manifest in {self.url}")

    def read(self, path: str) -> Column:
        """A whole array, such as ``train/kept``."""
        return np.asarray(self.array(path)[...])

    def array(self, path: str) -> "zarr.Array[Any]":
        """An array, not read yet."""
        return cast("zarr.Array[Any]", self.group[path])

    def split(self, name: str) -> "StoreSplit":
        self.check_split(name)
        return StoreSplit(self, name)

    def check_split(self, name: str) -> None:
        """Make sure that there is a split of this name."""
        if name not in self.splits:
            raise ValueError(f"split = {name!r}: expected one of {', '.join(self.splits) or '(the store is empty)'}")

    def _text(self, name: str) -> str | None:
        import fsspec

        try:
            with fsspec.open(f"{self.url.rstrip('/')}/{name}", "rb", **self._storage_options) as file:
                return str(file.read().decode())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"it cannot be read: {reason}",
                where=f"{self.url}/{name}",
                remedy="dsfu-pipeline verify tells whether it is damaged",
            ) from error


class StoreSplit:
    """The samples of one split. Columns are read when they are asked for, once; rows of arrays every time."""

    def __init__(self, store: ClosedStore, name: str) -> None:
        self.store = store
        self.name = name
        self._columns: dict[str, Column] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.store, self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r} of {self.store.url!r}: {len(self)} samples)"

    def __len__(self) -> int:
        return int(self.array("kept").shape[0])

    def __contains__(self, name: str) -> bool:
        return name in self._group

    @property
    def samples_per_shard(self) -> int:
        """Samples that follow one another in one file of each array, so that they are fast to read together."""
        return int(self.attribute("samples_per_shard"))

    @cached_property
    def kept_indices(self) -> IntArray:
        """Indices of the samples to use."""
        return np.flatnonzero(self.column("kept"))

    def column(self, name: str) -> Column:
        """An array over all samples, read once."""
        if name not in self._columns:
            self._columns[name] = np.asarray(self.array(name)[...])
        return self._columns[name]

    def rows(self, name: str, indices: Sequence[int] | IntArray) -> Column:
        """An array at some samples, in the order of the indices; of large arrays only these are read."""
        return np.asarray(self.array(name).oindex[np.asarray(indices, np.int64)])

    def array(self, name: str) -> "zarr.Array[Any]":
        """An array, not read yet."""
        return cast("zarr.Array[Any]", self._group[name])

    def attribute(self, name: str) -> Any:
        return self._group.attrs[name]

    @cached_property
    def _group(self) -> zarr.Group:
        return cast(zarr.Group, self.store.group[self.name])


def _remedy_for(url: str) -> str:
    """What to do where no closed store is."""
    if "://" in url or Path(url).exists():
        return "look at it with dsfu-pipeline status"
    return "there is no such folder: look for a typing error"


def opened_store(url: str, split: str | None = None) -> ClosedStore:
    """A closed store that a verb was given, and has to be there, with a split if one is named.

    Raises
    ------
    InputError
        There is none, it has another format, or no such split.
    """
    expected = "a data set that dsfu-pipeline run has finished"
    refuse_mistyped_url(url, expected)
    store = ClosedStore(url)
    try:
        splits = store.splits
    except FileNotFoundError as error:
        if Path(url).is_file():
            raise InputError("it is a file", where=url, expected=expected, remedy="name the folder") from None
        is_run = (Path(url) / "config.yaml").is_file()
        raise InputError(
            "there is no closed store" + (", but a run of dsfu-model train" if is_run else ""),
            where=url,
            expected=expected,
            remedy="the order is RUN STORE in evaluate" if is_run else _remedy_for(url),
        ) from error
    if split is not None and split not in splits:
        near = near_miss(split, splits)
        raise InputError(
            f"split {split!r}: it is not in {url}",
            where="--split",
            expected=", ".join(splits) or "a store with samples",
            remedy=f"--split {near}" if near else "",
        )
    return store


def problem_of(url: str) -> str:
    """The problem of a store; that of old stores where there is none, so that settings can be looked at without one."""
    try:
        return ClosedStore(url).problem
    except FileNotFoundError:
        return OLDEST_PROBLEM


def _check_version(attributes: Mapping[str, Any], url: str) -> None:
    found = attributes.get("format_version", FORMAT_VERSION)
    if found == FORMAT_VERSION:
        return
    is_newer = isinstance(found, int) and found > FORMAT_VERSION
    raise InputError(
        f"its format is version {found}",
        where=url,
        expected=f"version {FORMAT_VERSION}, which this release of dsfu reads",
        remedy="install the release that wrote it, or a later one" if is_newer else "make it again with this release",
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
