"""Settings of the documentation site: `make docs` builds it into out/docs."""

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import generated

project = "dsfu"
author = "The dsfu developers"
version = release = installed("dsfu")
extensions = ["myst_nb", "sphinx.ext.mathjax"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_*"]
nb_execution_mode = "cache"
nb_execution_cache_path = str(Path(__file__).parents[1] / "out" / "notebooks-executed")
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_output_stderr = "remove"  # progress, which kernels write line by line
os.environ.setdefault("OMP_NUM_THREADS", "1")  # products are small: threads wait for one another
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for lines such as !dsfu-model
suppress_warnings = ["myst.header", "misc.highlighting_failure", "myst-nb.lexer"]  # the last where nothing is executed
html_theme = "pydata_sphinx_theme"
html_title = "dsfu"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's screen
html_theme_options = {
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "header_links_before_dropdown": 3,  # one line at 1280 pixels
}
html_sidebars: dict[str, list[str]] = {"*": [], "trust/*": []}  # these have no pages below them to be listed

generated.write_all(Path(__file__).parent / "reference")

BESIDE = {"../BENCHMARKS.md": "benchmarks.md", "../MODEL.md": "model-card.md"}
"""Pages above this folder, as the repository shows them, and where the site has them."""


def _pages_of_the_site(app: object, page: str, text: list[str]) -> None:
    for old, new in BESIDE.items():
        if page not in ("benchmarks", "model-card") and "/" not in page:
            text[0] = text[0].replace(f"]({old}", f"]({new}")


def _pages_included(app: object, path: Path, parent: str, text: list[str]) -> None:
    text[0] = text[0].replace("](MODEL.md", "](model-card.md").replace("](BENCHMARKS.md", "](benchmarks.md")
    text[0] = text[0].replace("](docs/", "](")


def setup(app: Any) -> None:
    """Links of included and of plain pages lead to pages of the site."""
    app.connect("source-read", _pages_of_the_site)
    app.connect("include-read", _pages_included)
