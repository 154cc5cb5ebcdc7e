"""Chromium without a window, asked by its DevTools protocol: pages at any width, what they log, and pictures."""

import asyncio
import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One page. ``logged`` has what the page complained about: errors of the console, exceptions, failed requests."""

    def __init__(self, profile: Path) -> None:
        self.logged: list[str] = []
        self._profile = profile
        self._number = 0

    async def __aenter__(self) -> Self:
        from tornado.httpclient import AsyncHTTPClient
        from tornado.websocket import websocket_connect

        assert CHROMIUM
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--remote-debugging-port=0",
        ]
        software = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        self._process = subprocess.Popen(
            [CHROMIUM, *options, *software, f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        active = self._profile / "DevToolsActivePort"
        while not active.exists() or "\n" not in active.read_text():
            assert self._process.poll() is None, "Chromium has ended"
            await asyncio.sleep(0.1)
        port = active.read_text().split()[0]
        answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json")
        (address,) = (each["webSocketDebuggerUrl"] for each in json.loads(answer.body) if each["type"] == "page")
        self._socket = await websocket_connect(address, max_message_size=100_000_000)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command, and its answer; what the page logs meanwhile is kept."""
        self._number += 1
        await self._socket.write_message(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            text = await self._socket.read_message()
            assert text is not None, "Chromium has closed the connection"
            message = json.loads(text)
            if message.get("id") == self._number:
                assert "error" not in message, message
                return dict(message["result"])
            self._listen(message)

    def _listen(self, message: dict[str, Any]) -> None:
        found, about = message.get("method"), message.get("params", {})
        if found == "Runtime.exceptionThrown":
            self.logged.append(json.dumps(about["exceptionDetails"])[:500])
        elif found == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.logged.append(json.dumps(about["args"])[:500])
        elif found == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.logged.append(f"{about['entry']['text']} {about['entry'].get('url', '')}")

    async def show(self, address: str, width: int, height: int = 900) -> None:
        """Go to an address, as on a screen of this width."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        await self.call("Page.navigate", url=address)

    async def value(self, expression: str) -> Any:
        """What an expression of JavaScript gives in the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str, seconds: float = 60) -> None:
        """Wait for an expression to be true."""
        for _ in range(round(seconds / 0.1)):
            if await self.value(expression):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {expression}; logged: {self.logged}")

    async def picture(self, path: Path) -> None:
        found = await self.call("Page.captureScreenshot")
        path.write_bytes(base64.b64decode(found["data"]))
