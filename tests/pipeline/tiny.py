"""A data set that is complete in every respect, and made in a second or two."""

import hashlib
from pathlib import Path

from dsfu.pipeline.manifest.loading import parse_manifest
from dsfu.pipeline.store.files import TEMPORARY_PREFIX
from dsfu.pipeline.wanted import Wanted, what_is_wanted

MANIFEST = """\
version: 1
name: tiny
seed: 3
store: store
pairs:
  train: {{groups: [0, 1, 2], per_group: {per_group}}}
  validation: {{groups: [1], per_group: 1}}
sro:
  monte_carlo: {{bank_size: 20, per_pair: {{train: 2, validation: 1}}, box: 16}}
  oscillator: {{per_pair: {{train: 2, validation: 0}}}}
planes: {{pixels: 16}}
dead_zones: {{bank_size: 70}}
"""

NOT_CONTENTS = ("ledger/", "locks/")
"""What tells when and by whom a store was made."""


def manifest_text(per_group: int = 2) -> str:
    return MANIFEST.format(per_group=per_group)


def tiny(per_group: int = 2) -> Wanted:
    return what_is_wanted(parse_manifest(manifest_text(per_group)))


def checksums(store: Path) -> dict[str, str]:
    """SHA-256 of every file of a store that holds something of its contents, by path.

    What a killed writer was writing counts for nothing.
    """
    found = {}
    for path in sorted(store.rglob("*")):
        name = path.relative_to(store).as_posix()
        if path.is_file() and not name.startswith(NOT_CONTENTS) and not path.name.startswith(TEMPORARY_PREFIX):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
