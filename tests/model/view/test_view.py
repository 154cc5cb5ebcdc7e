"""The viewer: what it can show, in a browser and through its widgets; whom it refuses, and what."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from dsfu.errors import InputError
from dsfu.model.cli import app
from dsfu.model.view.opening import page_of
from dsfu.model.view.serving import HOST, serve
from tests.browser import CHROMIUM, Browser
from tests.model.problems.particles.test_learning import MANIFEST as PARTICLES
from tests.model.view.test_samples import made

READY = "location.search == '' && window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
MODELS = "[...Bokeh.documents[0]._all_models.values()]"
RINGS = "m.columns().includes('size') && m.get_length() == 25"
COLOURS = """(() => {
  const all = root => [...root.querySelectorAll("*")].flatMap(e => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  const label = all(document).find(e => e.tagName == "LABEL");
  return `${getComputedStyle(label).color} on ${getComputedStyle(document.body).backgroundColor}`;
})()"""


MOST_WHITE = 0.02
"""Share of a dark page: words and sliders. A single image on white paper took 0.08 of it; chosen, not calibrated."""


async def _whites(browser: Browser, path: Path) -> float:
    """The share of a page's pixels that are white or nearly so."""
    await asyncio.sleep(1)
    await browser.picture(path)
    pixels = np.asarray(Image.open(path).convert("L"))
    return float(np.mean(pixels > 245))


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hkl of −2 … 2 in steps of 0.1; what is in a voxel is h + 10 k + 100 l."""
    import h5py

    axis = np.linspace(-2, 2, 41)
    h = np.meshgrid(axis, axis, axis, indexing="ij")
    path = tmp_path_factory.mktemp("view") / "volume.h5"
    with h5py.File(path, "w") as file:
        file["data"], file["format"], file["is_direct"] = h[0] + 10 * h[1] + 100 * h[2] + 1000, "Yell 1.0", False
        file["lower_limits"], file["step_sizes"], file["unit_cell"] = [-2.0] * 3, [0.1] * 3, [5, 6, 7, 90, 90, 90]
    return path


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("atoms")
    (folder / "water.xyz").write_text("3\n\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n")
    return folder


def test_layers_and_holes_are_where_they_are_said_to_be(volume: Path) -> None:
    from dsfu.model.front_door.reconstructions import read
    from dsfu.model.view.volumes import Layers

    layers = Layers(read(volume).to_xarray(), ("intensity",), has_bragg=True)
    layers.axis.value = "k"
    layers.layer.value = 25  # k = 0.5
    (source,) = (layers.images.sources[name] for name in ("intensity",))
    seen = source.data["image"][0]
    assert seen[30, 10] == pytest.approx(1000 - 1 + 5 + 100)  # l = 1 upwards, h = −1 to the right
    assert source.data["x"][0] == pytest.approx(-2.05)
    layers.radius.value = 0.3
    assert not layers._rings.data["x"], "k = 0.5 is further from lattice points than 0.3"
    layers.layer.value = 22  # k = 0.2
    assert len(layers._rings.data["x"]) == 25
    assert layers._rings.data["size"][0] == pytest.approx(2 * np.sqrt(0.3**2 - 0.2**2))
    layers.masked.value = True
    seen = source.data["image"][0]
    assert np.isnan(seen[30, 12])  # h = −0.8, l = 1: √(0.2² + 0.2²) = 0.28 away
    assert np.isfinite(seen[30, 13])  # h = −0.7


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_shows_pages_without_complaint(volume: Path, water: Path, tmp_path: Path) -> None:
    """At the widths of a phone and of a desk: nothing sticks out, nothing is logged, and sliders move the image."""

    async def look() -> None:
        async with Browser(tmp_path / "profile") as browser:
            for path in (volume, water, made(tmp_path, PARTICLES)):
                server, address = serve(page_of(str(path)), "test")
                server.start()
                for width in (1280, 390):
                    await browser.show(address, width)
                    await browser.until(READY)
                    assert await browser.value("document.documentElement.scrollWidth") <= width
                if path == volume:
                    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
                    await browser.call("Emulation.setEmulatedMedia", features=dark)
                    await browser.until(f"{COLOURS} == 'rgb(228, 231, 234) on rgb(20, 23, 26)'")
                    await browser.show(address, 1280)
                    await browser.until(READY)
                    assert await _whites(browser, tmp_path / "dark.png") < MOST_WHITE
                    await browser.value(f"{MODELS}.find(m => m.title && m.title.startsWith('Bragg')).value = 0.3, 0")
                    await browser.until(f"{MODELS}.some(m => m.type == 'ColumnDataSource' && {RINGS})")
                server.stop()
            assert not browser.logged

    asyncio.run(look())


def test_who_has_no_token_is_refused(volume: Path) -> None:
    from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
    from tornado.websocket import websocket_connect

    async def knock() -> None:
        server, address = serve(page_of(str(volume)), "test")
        server.start()
        plain, _, token = address.partition("?token=")
        assert plain.startswith(f"http://{HOST}:")
        assert all(each.getsockname()[0] == HOST for each in server._http._sockets.values())
        client = AsyncHTTPClient()
        for bad in (plain, f"{plain}?token={token[:-1]}", plain.replace("/view", "/static/js/bokeh.min.js")):
            with pytest.raises(HTTPClientError) as refused:
                await client.fetch(bad)
            assert refused.value.code == 403
        with pytest.raises(HTTPClientError, match="403"):
            await websocket_connect(plain.replace("http", "ws") + "/ws")
        told = await client.fetch(HTTPRequest(address, follow_redirects=False), raise_error=False)
        cookie = told.headers["Set-Cookie"].partition(";")[0]
        assert (await client.fetch(HTTPRequest(plain, headers={"Cookie": cookie}))).code == 200
        server.stop()

    asyncio.run(knock())


@pytest.mark.parametrize("what", ["nothing", "text", "empty folder", "bad map"])
def test_what_cannot_be_shown_is_refused(what: str, tmp_path: Path) -> None:
    path = tmp_path / {"bad map": "x.ccp4", "text": "x.txt"}.get(what, "x")
    if what in ("text", "bad map"):
        path.write_text("hello")
    elif what == "empty folder":
        path.mkdir()
    done = CliRunner().invoke(app, ["view", str(path), "--no-browser"])
    assert isinstance(done.exception, InputError), done.exception
    assert str(path) in str(done.exception)
