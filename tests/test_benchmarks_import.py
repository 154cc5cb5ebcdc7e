"""Every benchmark can still be imported: found in seconds, where `tests/benchmarks/test_they_run.py` takes minutes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

IMPORT_ALL = """
import importlib, pathlib, sys, traceback
sys.path[:0] = [".", "tests/benchmarks"]
names = sorted(path.stem for path in pathlib.Path("tests/benchmarks").glob("*.py") if not path.stem.startswith("test_"))
for name in names:
    try:
        importlib.import_module(f"tests.benchmarks.{name}")
    except ImportError as error:
        print(f"{name}: {error}")
print(len(names), "looked at")
"""


def test_benchmarks_import():
    """All in one process, which imports torch and numba once."""
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    *broken, last = done.stdout.splitlines()
    assert not broken
    assert int(last.split()[0]) > 20
