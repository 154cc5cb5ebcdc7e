"""The dashboard behind its token."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import psutil
import pytest

from dsfu.cluster.dashboard import parse_address
from dsfu.errors import InputError
from dsfu.pipeline.running.dask_workers import open_local
from dsfu.pipeline.running.graph import DaskEngine
from tests.cluster.others import listening


@pytest.fixture(scope="module")
def engine() -> Iterator[DaskEngine]:
    with open_local(1, dashboard_address="127.0.0.1:0") as engine:
        yield engine


def browser() -> OpenerDirector:
    return build_opener(HTTPCookieProcessor(CookieJar()))


def status_of(opener: OpenerDirector, url: str, **headers: str) -> int:
    try:
        with opener.open(Request(url, headers=headers), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


PAGES = ("/", "/status", "/info/main/workers.html", "/json/counts.json", "/metrics", "/health", "/proxy/22/127.0.0.1/")
WEBSOCKET = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "x" * 22,
    "Sec-WebSocket-Version": "13",
}


def test_who_has_the_address_sees_everything(engine):
    opener = browser()
    parts = urlsplit(engine.dashboard)
    with opener.open(engine.dashboard, timeout=10) as answer:
        assert "token" not in answer.url
        assert "Dask" in answer.read().decode()
    assert status_of(opener, f"http://{parts.netloc}/json/counts.json") == 200
    assert status_of(opener, f"http://{parts.netloc}/info/main/workers.html") == 200


def test_who_has_not_sees_nothing(engine):
    parts = urlsplit(engine.dashboard)
    for page in PAGES:
        assert status_of(browser(), f"http://{parts.netloc}{page}") == 403, page
    assert status_of(browser(), f"http://{parts.netloc}/status?{parts.query[:-1]}") == 403
    assert status_of(browser(), f"http://{parts.netloc}/status?token=%ff") in (400, 403)
    assert status_of(browser(), f"http://{parts.netloc}/status/ws", **WEBSOCKET) == 403
    assert status_of(browser(), f"http://{parts.netloc}/status", Cookie="dsfu-dashboard=x; =; a") == 403


def test_the_address_is_the_true_one_also_if_the_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with open_local(1, dashboard_address=f"127.0.0.1:{port}") as engine:
            parts = urlsplit(engine.dashboard)
            assert parts.hostname == "127.0.0.1"
            assert parts.port != port
            assert (parts.hostname, parts.port) in listening(psutil.Process())
            assert status_of(browser(), str(engine.dashboard)) == 200


def test_without_one_nothing_listens_for_browsers():
    before = set(listening(psutil.Process()))
    with open_local(1) as engine:
        assert engine.dashboard is None
        opened = set(listening(psutil.Process())) - before
        assert {host for host, _ in opened} == {"127.0.0.1"}
        for host, port in opened:
            with socket.create_connection((host, port), timeout=5) as connection, suppress(ConnectionResetError):
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert not connection.recv(100).startswith(b"HTTP")


@pytest.mark.parametrize(
    ("text", "found"), [("127.0.0.1:8787", ("127.0.0.1", 8787)), (":0", ("", 0)), ("[::1]:80", ("::1", 80))]
)
def test_addresses(text, found):
    assert parse_address(text) == found


@pytest.mark.parametrize("text", ["8787", "localhost", "a:b", "a:99999", "http://a:1", "a:1/x", "u@a:1", "", "[::1"])
def test_addresses_that_are_none(text):
    with pytest.raises(InputError, match="expected: HOST:PORT"):
        parse_address(text)
