"""HDF5 files that nobody vouches for: links followed with care, sizes looked at before anything is read, errors told.

Everything that readers want of HDF5 goes through `Hdf5`, so that a damaged file can do no worse than an `InputError`.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import h5py
import hdf5plugin  # noqa: F401  registers LZ4, bitshuffle and Blosc, which beamlines compress with
import numpy as np
import numpy.typing as npt

from dsfu.errors import InputError
from dsfu.model.measured.readers.sizes import IF_CUT_SHORT, check_declared
from dsfu.model.measured.readers.sounding import MOST_NODES, sound
from dsfu.simulate.arrays import FloatArray

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_LARGEST_USER_BLOCK: Final = 1 << 20
_MOST_HOPS: Final = 16
_MOST_SMALL_NUMBERS: Final = 1_000_000

Node = Any
"""An h5py.Group or h5py.Dataset; h5py has no types of its own."""


class Hdf5:
    """An HDF5 file open for reading, and those that it links to."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._stack = ExitStack()
        self._nodes: list[Node] | None = None
        self._others: dict[Path, Node] = {}
        self.root = self._open(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def where(self, node: Node) -> str:
        """File and path of a group or dataset, for people."""
        name = Path(node.file.filename).name
        return f"{name if name != self.path.name else self.path}:{name_of(node)}"

    def find(self, path: str, start: Node | None = None) -> Node | None:
        """The group or dataset of that path; None if there is none. A link that leads nowhere is an error."""
        return self._walk(self.root if start is None else start, path, 0)

    def need(self, path: str, start: Node | None = None, *, why: str = "") -> Node:
        """The same, where it must be there."""
        found = self.find(path, start)
        if found is None:
            start = self.root if start is None else start
            there = ", ".join(sorted(self.names(start))[:12])
            raise InputError(
                f"{path} is missing",
                where=self.where(start),
                expected=why or f"a dataset or group of that name; there are: {there or 'none'}",
            )
        return found

    def names(self, group: Node) -> list[str]:
        """Names of what is in a group."""
        with told(self.where(group)):
            names = list(group.keys()) if isinstance(group, h5py.Group) else []
            return [name for name in names if isinstance(name, str)]  # bytes where it is no text: damaged

    def attribute(self, node: Node, name: str) -> Any:
        """An attribute as Python or numpy value, text as str; None if there is none."""
        with told(f"{self.where(node)}@{name}"):
            if name not in node.attrs:
                return None
            if node.attrs.get_id(name).get_storage_size() > 1 << 20:
                raise ValueError("an attribute of more than a megabyte")
            return _as_text(node.attrs[name])

    def said(self, node: Node, name: str) -> str:
        """An attribute as text, whatever it is; empty if there is none."""
        found = self.attribute(node, name)
        return "" if found is None else f"{found!s:.200}"

    def text(self, node: Node) -> str:
        """A dataset that is a string, or an array of one."""
        where = self.where(node)
        if not isinstance(node, h5py.Dataset):
            raise InputError("is a group", where=where, expected="a dataset with text")
        self._check_storage(node)
        with told(where):
            value = _as_text(node[()])
        if isinstance(value, np.ndarray) and value.size == 1:
            value = _as_text(value.reshape(-1)[0])
        if not isinstance(value, str):
            raise InputError(f"holds {value!r:.80}", where=where, expected="text")
        return value

    def numbers(self, node: Node, count: int | None = None) -> FloatArray:
        """A small dataset as float64, flat; ``count`` says how many numbers there must be."""
        where = self.where(node)
        if isinstance(node, h5py.Dataset) and node.size is not None and node.size > _MOST_SMALL_NUMBERS:
            raise InputError(f"holds {node.size} numbers", where=where, expected=f"{count or 'not so many'}")
        values = np.asarray(self.array(node), np.float64).reshape(-1)
        if count is not None and values.size != count:
            raise InputError(f"holds {values.size} numbers", where=where, expected=str(count))
        return values

    def array(self, node: Node) -> npt.NDArray[Any]:
        """A dataset of real numbers or booleans, in native byte order, after its size was looked at."""
        where = self.where(node)
        if not isinstance(node, h5py.Dataset):
            raise InputError("is a group", where=where, expected="a dataset of real numbers")
        with told(where):
            dtype, shape = node.dtype, node.shape
        if dtype.kind not in "iufb":
            raise InputError(f"holds {_kind(dtype)}", where=where, expected="real numbers")
        if shape is None:
            raise InputError("is empty", where=where, expected="real numbers")
        self._check_storage(node)
        with told(where):
            values = np.asarray(node[()])
        return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))

    def walk(self) -> list[Node]:
        """Every group and dataset of the file itself, once, without following links; the first few thousand."""
        if self._nodes is None:
            self._nodes = list(self._walked())
        return self._nodes

    def _walked(self) -> Iterator[Node]:
        seen: set[Any] = set()
        queue = [self.root]
        while queue and len(seen) < MOST_NODES:
            node = queue.pop(0)
            with told(self.where(node)):
                identity = h5py.h5o.get_info(node.id).addr
            if identity in seen:
                continue
            seen.add(identity)
            yield node
            children = [self.hard_child(node, name) for name in self.names(node)]
            queue += [child for child in children if child is not None]

    def hard_child(self, group: Node, name: str) -> Node | None:
        """What a group itself holds under that name; None if it is a link."""
        with told(f"{self.where(group)}/{name}"):
            is_hard = isinstance(group.get(name, getlink=True), h5py.HardLink)
            return group[name] if is_hard else None

    def _open(self, path: Path) -> Node:
        if not path.is_file():
            raise InputError("there is no such file", where=str(path))
        sound(path)
        try:
            file = h5py.File(path, "r", locking="best-effort")
            self._stack.callback(file.close)
            return file["/"]
        except Exception as error:
            raise InputError(
                f"cannot be opened as HDF5: {_short(error)}",
                where=str(path),
                remedy=IF_CUT_SHORT,
            ) from error

    def _walk(self, node: Node, path: str, hops: int) -> Node | None:
        if hops > _MOST_HOPS:
            raise InputError("its links lead in a circle", where=self.where(node), expected=f"{path} at their end")
        if path.startswith("/"):
            node = node.file["/"]
        for part in filter(None, path.split("/")):
            if part == ".":
                continue
            if not isinstance(node, h5py.Group):
                return None
            node = self._child(node, part, hops)
            if node is None:
                return None
        return node

    def _child(self, group: Node, name: str, hops: int) -> Node | None:
        with told(f"{self.where(group)}/{name}"):
            link = group.get(name, getlink=True)
            if link is None or isinstance(link, h5py.HardLink):
                return None if link is None else group[name]
        if isinstance(link, h5py.SoftLink):
            return self._walk(group, _as_text(link.path), hops + 1)
        return self._external(group, name, link, hops)

    def _external(self, group: Node, link_name: str, link: Any, hops: int) -> Node | None:
        where = f"{self.where(group)}/{link_name}"
        name, path = os.fsdecode(link.filename), _as_text(link.path)
        target = self._beside(group, name, where)
        if not target.is_file():
            raise InputError(
                f"links to {path} in {name}, which is not there",
                where=where,
                expected=f"the file {target}",
                remedy="copy it there, or give the file that holds the data itself",
            )
        if target not in self._others:
            self._others[target] = self._open(target)
        return self._walk(self._others[target], path or "/", hops + 1)

    def _beside(self, node: Node, name: str, where: str) -> Path:
        """A file named in another one, which must lie in the same folder or below it."""
        folder = Path(node.file.filename).resolve().parent
        with told(where):
            target = (folder / name).resolve()
        if not target.is_relative_to(folder):
            raise InputError(
                f"links to {name}, which lies elsewhere",
                where=where,
                expected=f"a file in {folder} or below",
                remedy="give the file that holds the data itself, or copy it beside this one",
            )
        return target

    def _check_storage(self, dataset: Node) -> None:
        """Look at what a dataset says of itself before reading it."""
        where = self.where(dataset)
        with told(where):
            if dataset.external:
                raise ValueError("its numbers lie in other files, without a format")
            sources = dataset.virtual_sources() if dataset.is_virtual else []
            bytes_declared = int(dataset.size or 0) * dataset.dtype.itemsize
            chunk = dataset.chunks and int(np.prod(dataset.chunks, dtype=object)) * dataset.dtype.itemsize
            stored = dataset.id.get_storage_size()
        for source in sources:
            if source.file_name != ".":
                self._beside(dataset, source.file_name, where)
        compact = dataset.dtype.kind not in "iufb"
        check_declared(max(bytes_declared, chunk or 0), where, stored=None if sources or compact else stored)


def is_hdf5(path: Path) -> bool:
    """Whether a file has the signature of HDF5, at its beginning or after a block that is the user's."""
    size = path.stat().st_size
    with path.open("rb") as file:
        offset = 0
        while offset <= min(size, _LARGEST_USER_BLOCK):
            file.seek(offset)
            if file.read(len(MAGIC)) == MAGIC:
                return True
            offset = 2 * offset or 512
    return False


def format_of(path: Path) -> str | None:
    """What an HDF5 file says that a program of dsfu wrote; None if it says nothing, or is no such file."""
    if not path.is_file() or not is_hdf5(path):
        return None
    with Hdf5(path) as file:
        return file.said(file.root, "dsfu_format") or None


def name_of(node: Node) -> str:
    """Path of a group or dataset in its file; h5py gives bytes where it is no text."""
    name = node.name
    return name if isinstance(name, str) else bytes(name or b"").decode("utf-8", "replace")


@contextmanager
def told(where: str) -> Iterator[None]:
    """Whatever HDF5 says in this block becomes an InputError; the library's errors are of every kind."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"cannot be read: {_short(error)}", where=where, remedy="the file seems damaged; get a fresh copy"
        ) from error


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return np.array([each.decode("utf-8", "replace") if isinstance(each, bytes) else each for each in value.flat])
    return str(value) if isinstance(value, str) else value


def _kind(dtype: np.dtype[Any]) -> str:
    names = {"c": "complex numbers", "S": "text", "U": "text", "O": "objects of Python", "V": "records"}
    return names.get(dtype.kind, f"values of type {dtype}")
