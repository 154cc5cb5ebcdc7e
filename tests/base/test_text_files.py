"""Text of other programs' files: packed, in other encodings, with decimal commas."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from dsfu.errors import InputError
from dsfu.files import unpacked
from dsfu.model.problems.phases.reading import read_reflections
from dsfu.text_files import text_of_file

TABLE = "".join(f"{0.1 * i:.1f} {i * i + 0.5}\n" for i in range(40))


@pytest.mark.parametrize(
    "raw",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        gzip.compress(TABLE.encode()),
        TABLE.replace("\n", "\r\n").encode(),
        TABLE.replace(" ", ",").encode(),
        TABLE.replace(" ", ", ").encode(),
        TABLE.replace(" ", ";").encode(),
    ],
)
def test_what_is_read(tmp_path: Path, raw: bytes):
    (tmp_path / "a.txt").write_bytes(raw)
    read = text_of_file(tmp_path / "a.txt", "numbers").replace("\r", "").replace(", ", " ").replace(",", " ")
    assert read.replace(";", " ") == TABLE


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\x00\x01" * 9, "not a text file"),
        (TABLE.replace(".", ",").encode(), "decimal commas"),
        (TABLE.replace(".", ",").replace(" ", ";").encode(), "decimal commas"),
        (TABLE.replace(".", ",").replace(" ", "\t").encode(), "decimal commas"),
        (b"\x1f\x8b123", "cannot be read"),
    ],
)
def test_what_is_refused(tmp_path: Path, raw: bytes, words: str):
    (tmp_path / "a.txt").write_bytes(raw)
    with pytest.raises(InputError, match=words):
        text_of_file(tmp_path / "a.txt", "numbers")


def test_decimal_commas_are_left_to_who_reads_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TABLE.replace(".", ","))
    assert text_of_file(tmp_path / "a.txt", "numbers", decimal_commas=True) == TABLE.replace(".", ",")


def test_integers_between_commas_are_two_columns(tmp_path: Path):
    (tmp_path / "a.csv").write_text("".join(f"{i},{i * i}\n" for i in range(40)))
    assert text_of_file(tmp_path / "a.csv", "numbers").startswith("0,0")


def test_what_is_packed_is_unpacked_up_to_a_limit_and_anything_else_left_alone():
    packed = gzip.compress(TABLE.encode())
    assert unpacked(packed) == TABLE.encode()
    assert unpacked(packed, 10) == TABLE.encode()[:10]
    assert unpacked(TABLE.encode()) == TABLE.encode()


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:10] + b"\xff" * 20 + data[30:]])
def test_damaged_gzip_files_are_errors_that_readers_tell(damage: Callable[[bytes], bytes], tmp_path: Path):
    packed = damage(gzip.compress(TABLE.encode()))
    with pytest.raises((OSError, EOFError)):
        unpacked(packed)
    (tmp_path / "a.hkl").write_bytes(packed)
    with pytest.raises(InputError, match="cannot be read"):
        read_reflections(tmp_path / "a.hkl", (5, 6, 7, 90, 90, 90))
