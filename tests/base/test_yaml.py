"""Files of settings: the dialect, and what is refused before it can do harm."""

import time
import tracemalloc
from pathlib import Path

import pytest

from dsfu.errors import InputError
from dsfu.yaml.reader import read_yaml_file, read_yaml_value


def test_values_are_those_of_yaml_1_2(tmp_path: Path):
    file = tmp_path / "settings.yaml"
    file.write_text("on: yes\ntime: 12:00:00\nrate: 1e-3\nlist: [1, 2]\nsection: {a: null}\n")
    assert read_yaml_file(file) == {
        "on": "yes",
        "time": "12:00:00",
        "rate": 1e-3,
        "list": [1, 2],
        "section": {"a": None},
    }


def test_an_empty_file_says_nothing(tmp_path: Path):
    (tmp_path / "empty.yaml").write_text("# nothing yet\n")
    assert read_yaml_file(tmp_path / "empty.yaml") == {}
    with pytest.raises(InputError, match="the file is empty"):
        read_yaml_file(tmp_path / "empty.yaml", may_be_empty=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 017\n", "no zeros in front"),
        ("a: 1\na: 2\n", "the key is there twice"),
        ("a: !!python/object:os.system x\n", "the tag"),
        ("a: &x 1\nb: *x\n", "an alias"),
        ("--- {a: 1}\n--- {a: 2}\n", "a second document"),
    ],
)
def test_what_is_more_than_plain_data_is_refused(tmp_path: Path, text: str, told: str):
    (tmp_path / "some.yaml").write_text(text)
    with pytest.raises(InputError, match=told):
        read_yaml_file(tmp_path / "some.yaml")


def test_a_value_of_an_option():
    assert read_yaml_value("[10, 20]", "data.counts") == [10, 20]
    with pytest.raises(InputError, match=r"data\.counts: '\{' is no value"):
        read_yaml_value("{", "data.counts")


@pytest.mark.parametrize("depth", [9, 60])
def test_a_bomb_of_aliases_goes_off_nowhere(tmp_path: Path, depth: int):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, depth)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines) + "\n")
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(InputError, match="an alias"):
        read_yaml_file(tmp_path / "bomb.yaml")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.process_time() - start < 2
    assert peak < 20e6
