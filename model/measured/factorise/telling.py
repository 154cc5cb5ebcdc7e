"""What a file of factors holds, in a few lines: of planes, or of a volume."""

import json
from pathlib import Path
from typing import Any

from dsfu.model.measured.factorise.files import FORMAT, read_factors
from dsfu.model.measured.readers.hdf5 import Hdf5, format_of
from dsfu.model.measured.volume.files import FORMAT as OF_VOLUME


def told_of_factors(path: Path) -> dict[str, Any] | None:
    """What `factorise` or `analyse` wrote; None if they did not write this."""
    name = format_of(path)
    if name == OF_VOLUME:
        return _of_volume(path)
    return _of_planes(path) if name == FORMAT else None


def _of_volume(path: Path) -> dict[str, Any]:
    with Hdf5(path) as file:
        told = json.loads(file.text(file.need("volume/analyse/verdict")))
        order = json.loads(file.text(file.need("volume/analyse/order")))["refinements"][0]
        shape = file.need("volume/observed/observed").shape
    return {
        "file": str(path),
        "format": OF_VOLUME,
        "made_by": "dsfu-model analyse",
        "holds": f"I_FF, I_SRO, background, observed and difference on {' × '.join(map(str, shape))} voxels of hkl",
        "parameters": f"{len(order['shells'])} α, Laue class {order['symmetry']}",
        "verdict": told["verdict"],
        "sentence": told["sentence"],
        "for": "refine-sro, refine-ff, NeXpy",
    }


def _of_planes(path: Path) -> dict[str, Any]:
    found = read_factors(path)
    names = ", ".join(each.name for each in found.planes)
    size = found.planes[0].plane.pixels
    count = 0 if found.alpha is None else len(found.alpha)
    return {
        "file": str(path),
        "format": FORMAT,
        "made_by": f"dsfu-model factorise, {found.method}",
        "holds": f"I_FF, I_SRO, model, difference on {len(found.planes)} planes of {size} × {size} pixels: {names}",
        "parameters": f"{count} α" if count else "no α",
        "verdict": found.verdict.judgement,
        "sentence": found.verdict.sentence,
        "for": "refine-sro, refine-ff, deltapdf --of sro, NeXpy",
    }


def factors_text(told: dict[str, Any]) -> str:
    """The same for a terminal."""
    rows = [f"  {name.replace('_', ' '):<11}{value}" for name, value in told.items() if name != "file"]
    return "\n".join([told["file"], *rows])
