import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from dsfu.errors import InputError
from dsfu.pipeline.problems.disorder.closing import UniquenessSettings
from dsfu.pipeline.problems.disorder.report.page import write_report
from dsfu.pipeline.specs import LedgerEntry, ShardFailure
from dsfu.pipeline.store.files import open_files
from tests.base.looking import complaints, needs_browser
from tests.pipeline.fake_store import FakeStore, fake_store

pytest_plugins = ["tests.s3_server"]

_VOID = {"meta", "br", "img", "hr", "link", "input"}


class Reader(HTMLParser):
    """Collects the text and the links of a page, and complains of tags that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    reader.text = re.sub(r"\s+", " ", reader.text.replace("\u00a0", " "))
    return reader


def timed(store: FakeStore) -> None:
    """Write into the ledger what workers write there."""
    for number, key in enumerate(sorted(store.ledger.entries())):
        entry = store.ledger.read(key)
        made = {
            "when": f"2026-01-01T12:00:{number:02d}.500+00:00",
            "host": f"node<{number % 2}>",
            "seconds": 2.0,
            "steps": {"kernels": 1.0, "write": 0.5},
            "versions": {"numpy": "2.1"},
        }
        store.ledger.write(LedgerEntry(**{**vars(entry), "made": made}))


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> FakeStore:
    store = fake_store(tmp_path_factory.mktemp("report") / "store")
    spec = store.spec(threshold=0.03)
    store.close(replace(spec, manifest_text="name: <script>alert('x')</script> & more\n"))
    timed(store)
    return store


@pytest.fixture(scope="module")
def report(fake: FakeStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(fake.files.url, tmp_path_factory.mktemp("out") / "new folder" / "report.html")


def test_it_says_what_is_there(report: Path, fake: FakeStore):
    page = read(report)
    for heading in ("What is in it", "Samples", "Distributions", "Planes that repeat others", "Making", "Provenance"):
        assert heading in page.text
    kept = sum(int(fake.open(split)["kept"].sum()) for split in ("train", "validation"))
    assert f"{kept}planes to use, of 22" in page.text
    assert "Fuller & Rudden" in page.text
    assert "5.4 %" in page.text
    assert "10.7 %" in page.text
    assert "numpy 2.1" in page.text
    assert fake.files.url in page.text
    assert "Shards that failed" not in page.text
    assert "Not complete" not in page.text


def test_it_needs_nothing_else(report: Path):
    page = read(report)
    assert page.links
    assert all(link.startswith("data:image/png;base64,") for link in page.links)
    assert not {"link", "iframe"} & set(page.tags)
    assert page.tags.count("script") == 1  # the buttons of tables, which the page's own policy names by its digest
    assert not re.search(r"url\(|@import|https?://", report.read_text(encoding="utf-8"))


def test_text_of_others_is_text(report: Path):
    assert "<script>alert('x')</script> & more" in read(report).text
    assert "node<0>" in read(report).text


def test_pictures_are_described(report: Path):
    text = report.read_text(encoding="utf-8")
    described = re.findall(r'<svg [^>]*role="img" aria-label="([^"]+)"', text)
    assert len(described) == text.count("<svg ")
    assert any("median" in words for words in described)
    assert sum(words.startswith("Mask") for words in described) == sum(
        words.startswith("Scattering with dead zones") for words in described
    )


def test_it_is_the_same_every_time(report: Path, fake: FakeStore, tmp_path: Path):
    assert write_report(fake.files.url, tmp_path / "again.html").read_bytes() == report.read_bytes()


def test_failures_are_told(tmp_path: Path):
    store = fake_store(tmp_path / "store")
    store.close(store.spec(train=((0, 1),)))
    store.ledger.write_failure(
        ShardFailure(
            key="f" * 32,
            kind="planes",
            identity="planes/train_0+train_2",
            error="ValueError: <no>",
            traceback='File "x.py", line 1 <module>',
            attempts=3,
            host="one",
            when="2026-01-01T12:00:00+00:00",
        )
    )
    text = read(write_report(tmp_path / "store", tmp_path / "report.html")).text
    for words in ("Not complete.", "1 shard could not be made", "planes/train_0+train_2", "<no>", "line 1 <module>"):
        assert words in text


@pytest.mark.parametrize("pairs", [{"validation": ()}, {"train": (), "validation": ()}])
def test_stores_that_lack_splits(tmp_path: Path, pairs: dict[str, Any]):
    store = fake_store(tmp_path / "store")
    store.close(store.spec(**pairs))
    text = read(write_report(tmp_path / "store", tmp_path / "report.html")).text
    assert ("No pair is complete" in text) == ("train" in pairs)
    assert "validation" not in text


def test_parameters_only_and_not_compared(tmp_path: Path):
    store = fake_store(tmp_path / "store", materialise=False)
    store.close(replace(store.spec(), uniqueness=UniquenessSettings(scope="none"), masks=()))
    text = read(write_report(tmp_path / "store", tmp_path / "report.html")).text
    assert "planes are computed when read" in text
    assert "Planes were not compared with one another" in text


def test_stores_in_object_storage(s3_url: str, tmp_path: Path):
    store = FakeStore(open_files(s3_url))
    store.close(store.spec(validation=()))
    timed(store)
    assert s3_url in read(write_report(s3_url, tmp_path / "report.html")).text


def test_no_store(tmp_path: Path):
    with pytest.raises(InputError, match="no store"):
        write_report(tmp_path, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


@needs_browser
@pytest.mark.browser
@pytest.mark.parametrize("dark", [True, False], ids=["dark", "light"])
def test_browsers_show_it_without_complaint(report: Path, tmp_path: Path, dark: bool):
    """At the widths of phones, a tablet and a desk, nothing sticks out, no picture is empty, nothing is logged."""
    assert complaints(report, tmp_path, dark=dark) == ""
