"""The command line: what every verb answers, and what it says when something is wrong."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsfu.pipeline import cli
from dsfu.pipeline.manifest.loading import load_manifest
from dsfu.pipeline.wanted import what_is_wanted
from tests.pipeline.tiny import checksums, manifest_text

ROOT = Path(__file__).parents[2]
VERBS = [
    "init",
    "validate",
    "plan",
    "run",
    "close",
    "status",
    "verify",
    "diff",
    "gc",
    "inspect",
    "report",
    "schema",
    "submit",
]

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the program in this process; gives exit status, stdout and stderr."""

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dsfu-pipeline", *map(str, arguments)])
        monkeypatch.delenv("DSFU_DEBUG", raising=False)
        capsys.readouterr()
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        shown = capsys.readouterr()
        return int(leaving.value.code or 0), shown.out, shown.err

    return call


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A manifest and its store."""
    folder = tmp_path_factory.mktemp("made")
    manifest = folder / "tiny.yaml"
    manifest.write_text(manifest_text())
    store = folder / "store"
    assert program("run", str(manifest), "--store", str(store), "--scheduler", "sync").returncode == 0
    return manifest, store


def program(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program as a user starts it."""
    command = [sys.executable, "-m", "dsfu.pipeline.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_help_names_every_verb_and_takes_less_than_a_second():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = program("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert told.returncode == 0
    for verb in VERBS:
        assert f"\n  {verb} " in told.stdout
    assert seconds < 1.0


@pytest.mark.parametrize("verb", [*VERBS, "species"])
def test_every_verb_has_help_worth_reading(call, verb):
    status, out, _ = call(verb, "--help")
    assert status == 0
    assert len(out.splitlines()) > 5
    for line in out.splitlines():
        assert len(line) <= 100


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from dsfu.pipeline import cli; "
        "heavy = {'numpy', 'numba', 'dask', 'distributed', 'zarr', 'xarray', 'pydantic', 'ase', 'rich', 'matplotlib'}; "
        "print(*sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == ""


def test_version(call):
    status, out, _ = call("--version")
    assert status == 0
    assert out.startswith("dsfu-pipeline 0.")


def test_init_writes_a_manifest_that_is_valid_and_does_not_overwrite_one(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("init")[0] == 0
    assert len(what_is_wanted(load_manifest("data_manifest.yaml")).expected.specs) > 10
    assert call("validate")[0] == 0
    status, _, err = call("init")
    assert status == 2
    assert "--force" in err
    assert call("init", "--force")[0] == 0


def test_validate_says_what_is_declared(call, made):
    manifest, _ = made
    status, out, _ = call("validate", manifest)
    assert status == 0
    assert "6 pairs, 192 planes" in out
    found = json.loads(call("validate", manifest, "--json")[1])
    assert found["splits"]["train"] == {"pairs": 6, "pairs_of_group": {"0": 2, "1": 2, "2": 2}, "planes": 192}
    assert found["sro_sets"] == 20


def test_plan_gives_reasons_and_changes_nothing(call, made, tmp_path):
    manifest, store = made
    before = checksums(store)
    status, out, _ = call("plan", manifest, "--store", store)
    assert (status, checksums(store)) == (0, before)
    assert "0 shards to make" in out
    status, out, _ = call("plan", manifest, "--store", tmp_path / "none", "--every")
    assert status == 0
    assert "7 shards of planes: new" in out
    assert "masks, planes, sro_sets: a guess, none was made here yet; --measure makes some, in 10 s" in out
    assert "planes/Al+Cu" in out
    assert not (tmp_path / "none").exists()
    found = json.loads(call("plan", manifest, "--store", tmp_path / "none", "--json")[1])
    assert {each["reason"] for each in found["missing"]} == {"new"}
    assert found["bytes_expected"] > 0


def test_a_change_of_dead_zones_costs_masks_only(call, made, tmp_path):
    manifest, store = made
    other = tmp_path / "other.yaml"
    other.write_text(manifest.read_text() + "uniqueness: {threshold: 0.01}\n")
    other.write_text(other.read_text().replace("bank_size: 70", "bank_size: 80, live_fraction: [0.5, 0.9]"))
    found = json.loads(call("plan", other, "--store", store, "--json")[1])
    assert {each["kind"] for each in found["missing"]} == {"masks"}
    status, out, _ = call("diff", store, other)
    assert status == 0
    assert "dead_zones.bank_size: 70 → 80" in out
    assert "1 shard to make again because of dead zones: masks/0000" in out
    assert json.loads(call("diff", manifest, other, "--json")[1])["dropped"] == []
    assert "They declare the same" in call("diff", manifest, store)[1]


def test_run_in_json_ends_with_a_summary(call, made):
    manifest, store = made
    status, out, err = call("run", manifest, "--store", store, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert events[-1]["event"] == "summary"
    assert events[-1]["present_before"] == 11


def test_run_quietly_says_only_the_summary(call, made):
    manifest, store = made
    status, out, err = call("run", manifest, "--store", store, "--quiet")
    assert (status, err) == (0, "")
    assert out.startswith("Nothing was missing.")


def test_close_alone(call, made):
    manifest, store = made
    before = checksums(store)
    assert call("close", manifest, "--store", store)[0] == 0
    assert json.loads(call("close", manifest, "--store", store, "--json")[1])["samples"]["train"] == 192
    assert checksums(store) == before


def test_status(call, made):
    _, store = made
    status, out, _ = call("status", store)
    assert status == 0
    assert "planes    7 of 7 shards" in out
    assert "train       181 samples to use, of 192: 11 repeat others (6 pairs)" in out
    found = json.loads(call("status", store, "--json")[1])
    assert found["complete"]
    assert found["failures"] == found["writers"] == []


def test_verify_finds_damage_and_marks_it_for_the_next_run(call, made, tmp_path):
    manifest, original = made
    store = tmp_path / "store"
    shutil.copytree(original, store)
    assert call("verify", store)[0] == 0
    assert call("verify", store, "--deep")[0] == 0
    path = next(store.glob("train/sro/c/*/0/0"))
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    status, out, _ = call("verify", store)
    assert status == 3
    assert "1 damage" in out
    assert json.loads(call("verify", store, "--json")[1])["set_aside"] == []
    status, out, _ = call("verify", store, "--mark")
    assert status == 3
    assert "1 shard set aside" in out
    assert "damaged" in call("plan", manifest, "--store", store)[1]
    assert call("run", manifest, "--store", store, "--scheduler", "sync", "--quiet")[0] == 0
    assert call("verify", store)[0] == 0
    assert checksums(store) == checksums(original)


def test_gc_says_first_and_removes_when_told(call, made, tmp_path):
    manifest, original = made
    store = tmp_path / "store"
    shutil.copytree(original, store)
    other = tmp_path / "other.yaml"
    other.write_text(manifest.read_text().replace("seed: 3", "seed: 4"))
    assert call("run", other, "--store", store, "--scheduler", "sync", "--quiet")[0] == 0
    status, out, _ = call("gc", store)
    assert status == 0
    assert "Can be removed" in out
    orphans = json.loads(call("gc", store, "--json")[1])
    assert len([each for each in orphans["files"] if each["path"].startswith("ledger/")]) >= 11
    status, out, _ = call("gc", store, "--delete")
    assert status == 0
    assert out.startswith("Removed")
    assert "nothing to remove" in call("gc", store)[1]
    assert call("verify", store)[0] == 0


def test_inspect_and_report(call, made, tmp_path):
    _, store = made
    status, out, _ = call("inspect", store, "--sheet", tmp_path / "sheet.png", "--samples", "2")
    assert status == 0
    assert "192 samples of 6 pairs" in out
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(call("inspect", store, "--json")[1])["masks"] == 70
    assert call("report", store, "--out", tmp_path / "report.html")[0] == 0
    assert "</html>" in (tmp_path / "report.html").read_text()


def test_schema_and_species(call, made):
    manifest, _ = made
    assert json.loads(call("schema")[1])["properties"]["seed"]
    assert "perchlorate" in call("species", manifest)[1]
    assert "perchlorate" in call("species")[1]  # without any manifest: those that come with dsfu
    assert len(json.loads(call("species", manifest, "--json")[1])) == 127


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "missing.yaml"],
        ["run", "missing.yaml"],
        ["plan", "missing.yaml", "--store", "x"],
        ["status", "nowhere"],
        ["verify", "nowhere"],
        ["gc", "nowhere"],
        ["inspect", "nowhere"],
        ["report", "nowhere"],
        ["diff", "missing.yaml", "nowhere"],
        ["bogus"],
        ["run", "--bogus"],
        ["run", "--workers", "0"],
    ],
)
def test_bad_input_is_told_plainly(call, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert err.lower().count("error") >= 1
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_does_not_exist(call, made):
    manifest, store = made
    status, _, err = call("run", manifest, "--store", store, "--scheduler", "slrm")
    assert status == 2
    assert "local" in err


def test_a_scheduler_that_does_not_answer(call, made, tmp_path, monkeypatch):
    import dask
    import distributed  # noqa: F401  (brings its own settings)

    manifest, _ = made
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        status, out, err = call("run", manifest, "--store", tmp_path / "s", "--scheduler", "tcp://127.0.0.1:9")
    assert status == 4
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in out + err
    assert "Traceback" not in out + err


def test_what_is_unexpected_is_told_in_a_line_and_kept_in_a_file(call, made, tmp_path, monkeypatch):
    manifest, _ = made
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("dsfu.pipeline.commands.manifests.want", lambda _: 1 / 0)
    status, out, err = call("validate", manifest)
    assert (status, out) == (1, "")
    assert err.splitlines()[0] == "error: something unexpected happened: ZeroDivisionError: division by zero"
    assert "Traceback" not in err
    (kept,) = tmp_path.glob("dsfu-pipeline-*.txt")
    assert str(kept) in err
    assert "Traceback" in kept.read_text()
    assert "Traceback" in call("--debug", "validate", manifest)[2]


@pytest.mark.parametrize(("module", "extra"), [("pydantic", "pipeline"), ("s3fs", "s3")])
def test_a_missing_extra_is_named(call, made, monkeypatch, module, extra):
    def lack(_: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("dsfu.pipeline.commands.manifests.want", lack)
    status, _, err = call("validate", made[0])
    assert status == 2
    assert f"pip install '.[{extra}]'" in err


def test_without_the_extra_help_still_works_and_verbs_say_what_to_install():
    code = (
        "import sys\n"
        "for name in ('pydantic', 'dask', 'distributed', 'zarr', 'google_crc32c', 'rich', 'numcodecs'):\n"
        "    sys.modules[name] = None\n"
        "from dsfu.pipeline.cli import main\n"
        "main()\n"
    )
    told = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    told = subprocess.run([sys.executable, "-c", code, "plan"], capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "pip install '.[pipeline]'" in told.stderr


def test_a_closed_pipe_is_no_news(tmp_path):
    plan = f"{sys.executable} -m dsfu.pipeline.cli plan {ROOT / 'data_manifest.yaml'} --store {tmp_path} --json"
    told = subprocess.run(["bash", "-c", f"{plan} | head -1"], capture_output=True, text=True, check=False)
    assert told.stdout.count("\n") == 1
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("", "no place for a store"),
        ("  ", "no place for a store"),
        ("memory://x", "the memory of this process"),
        ("s3:/bucket/x", "write s3://bucket/x"),
        ("s3//bucket/x", "write s3://bucket/x"),
        ("gopher://x/y", "no storage called gopher"),
        ("/proc/self/x", "is the system's"),
        ("/dev/null/x", "is the system's"),
        ("a" * 300, "too long"),
        ("x/" * 3000, "too long"),
        ("tiny.yaml/store", "is a file"),
    ],
)
@pytest.mark.parametrize("verb", ["plan", "run", "close"])
def test_places_where_no_store_can_be(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, store: str, told: str
):
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(manifest_text())
    status, _, said = call(verb, "tiny.yaml", "--store", store)
    assert (status, told in said) == (2, True), said
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_a_cluster_whose_workers_die_as_they_start_cuts_the_run_short(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import distributed

    def die(**_: object) -> None:
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", die)
    manifest = tmp_path / "tiny.yaml"
    manifest.write_text(manifest_text())
    status, _, said = call("run", manifest, "--store", tmp_path / "store", "--workers", "1")
    assert status == 4
    assert "Traceback" not in said
