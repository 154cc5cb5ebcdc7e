"""Pages and their parts as a browser has them: what it logs, and what sticks out at the widths of phones and desks."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

WIDTHS = (360, 390, 768, 1280)

browser = shutil.which("chromium") is not None
needs_browser = pytest.mark.skipif(not browser, reason="there is no Chromium")

_PROBE = """
<script>
  const frames = [...document.querySelectorAll("iframe")];
  addEventListener("load", () => {
    const out = frames.map(frame => {
      const inside = frame.contentDocument, page = inside.documentElement;
      const empty = [...inside.querySelectorAll("svg, img")].filter(one => one.clientWidth < 18).length;
      const cells = [...inside.querySelectorAll("td")].filter(one => one.textContent.trim().length > 12);
      const shown = cells.filter(one => one.getBoundingClientRect().width < 60 && one.clientWidth);
      const narrow = `${shown.length} narrow ${shown.map(one => one.textContent.trim()).join()}`.trim();
      return `${frame.width}: ${page.scrollWidth - page.clientWidth} over, ${empty} empty, ${narrow}`;
    });
    const tables = frames[0].contentDocument.querySelectorAll(".scroll > table:not(.full)").length;
    const buttons = frames[0].contentDocument.querySelectorAll(".tools button").length;
    document.body.append(`RESULT ${out.join("; ")}; ${buttons - 2 * tables} buttons too many END`);
  });
</script>
"""


def part(call: str, shown: Any) -> str:
    """What a macro of parts.html makes; it is called with ``shown``."""
    from dsfu.pages.frame import _environment

    text = f'{{% import "dsfu.pages/parts.html" as parts %}}{{{{ parts.{call} }}}}'
    return _environment().from_string(text).render(shown=shown)


def complaints(page: Path, folder: Path, *, dark: bool = False) -> str:
    """What is wrong with a page in headless Chromium: sideways scrolling, empty pictures, words broken, messages."""
    shutil.copy(page, folder / "shown.html")
    inside = "".join(f'<iframe src="shown.html" width="{width}" height="900"></iframe>' for width in WIDTHS)
    probe = folder / "probe.html"
    probe.write_text(f"<!DOCTYPE html><body>{inside}{_PROBE}</body>", encoding="utf-8")
    done = _dump(probe, folder, dark=dark)
    result = re.search(r"RESULT (.+?) END</body>", done.stdout)
    assert result, done.stderr[-2000:]
    fine = "; ".join(f"{width}: 0 over, 0 empty, 0 narrow" for width in WIDTHS) + "; 0 buttons too many"
    logged = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return "\n".join([*([] if result[1] == fine else [result[1]]), *logged])


def _dump(page: Path, folder: Path, *, dark: bool) -> "subprocess.CompletedProcess[str]":
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", scheme]
    command += ["--allow-file-access-from-files", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"]
    command += ["--window-size=2900,1000", "--dump-dom", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
