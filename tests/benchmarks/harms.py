"""How files are harmed so that they are nearly right: text, trees of YAML, HDF5, stores."""

import gzip
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

WORDS = (
    *("", "~", "nan", "inf", "-1", "0", "1e308", "-1e-308", "1e400", "9" * 40, "3.0e", "0x1F", "yes", "017"),
    *("[]", "{}", "[[[[[[", "&a [*a]", "!!python/object:os.system", "../../etc", "/dev/zero", "α(001)", "\u202e"),
    *("\x00", "a" * 5000, "'", '"', "#", "_loop", "loop_", "data_", ";", "?", ".", ",", "\t", "\r\n", "1(2)"),
    *("P 1", "Xx", "H2O", "2026-11-26"),
)
VALUES = (
    *(None, True, False, 0, -1, 1, 10**30, 1e308, float("nan"), float("inf"), "", "nan", "x" * 3000, [], {}, [[]]),
    *([None], {"": {}}, [0] * 50, -0.0, 2.5, "1", "all", "none", b"\xff"),
)


def harm_text(path: Path, rng: random.Random) -> None:
    """One to four harms to lines, words or bytes."""
    data = path.read_bytes()
    if zipped := data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for _ in range(rng.randint(1, 4)):
        data = _harm_lines(data, rng) if rng.random() < 0.7 else _harm_bytes(data, rng)
    path.write_bytes(gzip.compress(data, 1) if zipped else data)


def _harm_lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    number = rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[number]
    elif kind == 1:
        lines.insert(number, rng.choice(lines))
    elif kind == 2:
        lines.insert(number, rng.choice(WORDS).encode())
    elif kind == 3:
        lines[number] = lines[number].replace(b" ", rng.choice((b"", b"\t", b", ", b"  ")))
    else:
        words = lines[number].split(b" ")
        words[rng.randrange(len(words))] = rng.choice(WORDS).encode()
        lines[number] = b" ".join(words)
    return b"\n".join(lines)


def _harm_bytes(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return b"\0"
    changed, place = bytearray(data), rng.randrange(len(data))
    kind = rng.randrange(4)
    if kind == 0:
        changed[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del changed[place:]
    elif kind == 2:
        changed[place:place] = rng.choice(WORDS).encode()
    else:
        del changed[place : place + rng.randint(1, 100)]
    return bytes(changed)


def harm_yaml(path: Path, rng: random.Random) -> None:
    """A value of the tree is another, is missing, or stands in another's place; now and then, as text."""
    if rng.random() < 0.4:
        return harm_text(path, rng)
    tree = yaml.safe_load(path.read_text())
    for _ in range(rng.randint(1, 3)):
        places = list(_places(tree))
        holder, key = rng.choice(places)
        kind = rng.randrange(4)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[rng.choice(("pixels", "seed", "name", "nonsense", "", 3, "pairs"))] = holder[key]
        elif kind == 2:
            other, name = rng.choice(places)
            holder[key] = other[name] if name in other or (isinstance(name, int) and name < len(other)) else None
        else:
            holder[key] = rng.choice(VALUES)
    path.write_text(yaml.safe_dump(tree, allow_unicode=True))
    return None


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every holder and key below a node."""
    found: list[tuple[Any, Any]] = []
    nodes, seen = [tree], 0
    while nodes and seen < 2000:
        node = nodes.pop()
        seen += 1
        keys: Sequence[Any] = list(node) if isinstance(node, dict) else ()
        keys = range(len(node)) if isinstance(node, list) else keys
        found += [(node, key) for key in keys]
        nodes += [node[key] for key in keys]
    return found or [({"": None}, "")]


def harm_hdf5(path: Path, rng: random.Random) -> None:
    """A data set or attribute is another, of another shape or type, or missing; now and then, as bytes."""
    if rng.random() < 0.15:
        path.write_bytes(_harm_bytes(path.read_bytes(), rng))
        return
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        for _ in range(rng.randint(1, 3)):
            name = rng.choice(names)
            if name not in file:
                continue
            node = file[name]
            if rng.random() < 0.3:
                owner = node if len(node.attrs) else file
                if len(owner.attrs):
                    _harm_attribute(owner, rng.choice(list(owner.attrs)), rng)
            elif isinstance(node, h5py.Group):
                _harm_group(file, name, rng)
            else:
                _harm_dataset(file, name, rng)


def _harm_attribute(owner: Any, key: str, rng: random.Random) -> None:
    value = rng.choice((None, "", "nonsense", -1, 0, np.nan, 1e300, [1.0, 2.0], np.zeros((2, 2)), "1,2,3", b"\xff"))
    if value is None:
        del owner.attrs[key]
    else:
        owner.attrs[key] = value


def _harm_group(file: h5py.File, name: str, rng: random.Random) -> None:
    del file[name]
    if rng.random() < 0.4:
        file[name] = rng.choice((1.0, "text", np.zeros(3)))


def _harm_dataset(file: h5py.File, name: str, rng: random.Random) -> None:
    data = file[name][()]
    attributes = dict(file[name].attrs)
    harmed = _harmed_array(np.asarray(data), rng)
    del file[name]
    if harmed is not None:
        file[name] = harmed
        if rng.random() < 0.8:
            file[name].attrs.update(attributes)


def _harmed_array(data: np.ndarray, rng: random.Random) -> Any:
    kind = rng.randrange(9)
    if kind == 0:
        return None
    if kind == 1:
        return data[:-1] if data.ndim else np.zeros(3)
    if kind == 2:
        return data[..., np.newaxis]
    if kind == 3:
        return "text"
    if kind == 4:
        return np.zeros_like(data)
    if data.dtype.kind not in "fiu":
        return np.zeros(data.shape)
    data = data.astype(float)
    if kind == 5:
        return np.full_like(data, rng.choice((np.nan, np.inf, -1.0, 1e300, 1e-300)))
    if kind == 6:
        return -data
    if kind == 7:
        return data.astype(complex)
    flat = data.reshape(-1).copy()
    flat[:: rng.randint(1, 5)] = rng.choice((np.nan, np.inf, -np.inf, 0.0, 1e30, -1e5))
    return flat.reshape(data.shape)


def harm_store(path: Path, rng: random.Random) -> None:
    """Files of a store, harmed as text or bytes, missing, or swapped."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    for _ in range(rng.randint(1, 3)):
        chosen = rng.choice(files)
        if not chosen.is_file():
            continue
        kind = rng.randrange(4)
        if kind == 0:
            chosen.unlink()
        elif kind == 1:
            shutil.copyfile(rng.choice([f for f in files if f.is_file()]), tmp := chosen.with_name("tmp~"))
            tmp.replace(chosen)
        else:
            data = chosen.read_bytes()
            chosen.write_bytes(_harm_bytes(data, rng) if kind == 2 else _harm_lines(data, rng))
