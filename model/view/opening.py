"""Which page shows what a path holds."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from dsfu.errors import InputError
from dsfu.files import STORE_METADATA

EXPECTED: Final = (
    "a reconstruction, planes or factors, a folder of dsfu-model analyse, a store, a run with an evaluation, "
    "or atoms and maps (CIF, XYZ, CCP4) or a folder with such files"
)


def page_of(path: str) -> Callable[[], Any]:
    """The page, ready to be made for every visitor; what cannot be shown is refused here.

    Raises
    ------
    InputError
        Nothing is there, or nothing that can be shown.
    """
    if "://" in path or (Path(path) / STORE_METADATA).is_file():
        return _store(path)
    place = Path(path)
    if place.is_dir():
        return _folder(place)
    if not place.is_file():
        raise InputError("there is no such file or folder", where=path, expected=EXPECTED)
    return _file(place)


def _store(path: str) -> Callable[[], Any]:
    from dsfu.model.front_door.stores import open_store
    from dsfu.model.view.stores import store_page

    return store_page(open_store(path))


def _folder(folder: Path) -> Callable[[], Any]:
    from dsfu.model.view.evaluations import evaluation_page, is_evaluation
    from dsfu.model.view.judged import judgement_in
    from dsfu.model.view.space import space_page

    for place in (folder, folder / "evaluation"):
        if is_evaluation(place):
            return evaluation_page(place)
        if (place / "evaluation.html").is_file():
            what = "is an evaluation whose samples have no pages here"
            raise InputError(what, where=str(place), remedy=f"open {place / 'evaluation.html'}")
    if (folder / "factors.h5").is_file():
        return _file(folder / "factors.h5")
    judged = judgement_in(folder)
    spatial = _spatial(folder, judged.names if judged else ())
    if spatial:
        return space_page(spatial, judged.sentence if judged else "")
    if (folder / "config.yaml").is_file():
        raise InputError("is a run without an evaluation", where=str(folder), remedy="dsfu-model evaluate RUN STORE")
    raise InputError("holds nothing that can be shown", where=str(folder), expected=EXPECTED)


def _spatial(folder: Path, answers: Sequence[str]) -> list[Path]:
    """Its structures and maps, those of ``answers`` first and in their order; of two formats the XYZ alone."""
    from dsfu.model.view.space import is_spatial

    found = sorted(each for each in folder.iterdir() if each.is_file() and is_spatial(each) and _has_places(each))
    once = [each for each in found if each.suffix == ".xyz" or each.with_suffix(".xyz") not in found]
    places = {name: place for place, name in enumerate(answers)}
    return sorted(once, key=lambda each: places.get(each.name, len(places)))


def _has_places(path: Path) -> bool:
    """Whether a CIF has atoms; solve-phases writes one that has reflections alone."""
    return path.suffix.lower() != ".cif" or "_atom_site_" in path.read_text(encoding="utf-8", errors="replace")


def _file(path: Path) -> Callable[[], Any]:
    from dsfu.model.front_door.reconstructions import read
    from dsfu.model.measured.factorise.files import FORMAT
    from dsfu.model.measured.readers.hdf5 import format_of, is_hdf5
    from dsfu.model.measured.readers.reading import plane_names
    from dsfu.model.measured.volume.reading import is_volume_factors
    from dsfu.model.view.judged import judgement_on
    from dsfu.model.view.planes import factors_page, planes_page
    from dsfu.model.view.space import is_spatial, space_page
    from dsfu.model.view.volumes import analysis_page, volume_page

    if is_spatial(path):
        judged = judgement_on(path)
        return space_page([path], judged.sentence if judged else "")
    if is_hdf5(path):
        if is_volume_factors(path):
            return analysis_page(path)
        if format_of(path) == FORMAT:
            return factors_page(path)
    if plane_names(path):
        return planes_page(path)
    return volume_page(read(path))
