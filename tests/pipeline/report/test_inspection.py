import json
from pathlib import Path

import pytest

from dsfu.errors import InputError
from dsfu.pipeline.report.inspection import inspect_store
from dsfu.pipeline.specs import ShardFailure
from tests.pipeline.fake_store import FakeStore, fake_store


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("inspection") / "store")
    store.close(store.spec(threshold=0.03))
    return store


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_tables(fake: FakeStore, capsys: pytest.CaptureFixture[str]):
    values = inspect_store(fake.files.url, sheet=None, as_json=False)
    said = capsys.readouterr().out
    assert values["sheet"] is None
    for words in (
        "0 globular",
        "validation",
        "mole fraction A",
        "Q_max (1/Å)",
        "5 Monte Carlo, 8 oscillator",
        "7 masks",
    ):
        assert words in said
    assert f"{values['kept']} planes to use of 22" in said
    assert "could not be made" not in said
    assert max(map(len, said.splitlines()[2:])) <= 80


def test_json(fake: FakeStore, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    values = inspect_store(fake.files.url, sheet=tmp_path / "sheet.png", as_json=True, samples=2)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(values))
    assert values["sheet"] == str(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_names_are_not_taken_for_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = fake_store(tmp_path / "a [red] store")
    store.close(store.spec(validation=()))
    inspect_store(store.files.url, sheet=None, as_json=False)
    assert "a [red] store" in capsys.readouterr().out


def test_failures_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    store = fake_store(tmp_path)
    store.close(store.spec(validation=()))
    for number in range(12):
        failure = ShardFailure(
            key=f"{number:032x}",
            kind="planes",
            identity=f"planes/a+{number:02d}",
            error="ValueError: [no] such thing",
            traceback="",
            attempts=3,
            host="one",
            when="",
        )
        store.ledger.write_failure(failure)
    inspect_store(store.files.url, sheet=None, as_json=False)
    said = capsys.readouterr().out
    assert "12 shards could not be made" in said
    assert "planes/a+09: ValueError: [no] such thing" in said
    assert "and 2 more" in said


def test_no_store(tmp_path: Path):
    with pytest.raises(InputError, match="no store"):
        inspect_store(tmp_path, sheet=tmp_path / "sheet.png", as_json=False)
    assert not (tmp_path / "sheet.png").exists()
