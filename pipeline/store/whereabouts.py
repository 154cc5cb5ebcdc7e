"""Where the objects of shards are at the moment, also when ``placement.json`` does not tell the truth."""

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

from dsfu.pipeline.kinds import depths_of_arrays
from dsfu.pipeline.specs import LedgerEntry
from dsfu.pipeline.store.files import FileInfo, Files
from dsfu.pipeline.store.placement import (
    PLACEMENT,
    DamagedPlacement,
    Placement,
    home_of,
    moves_to,
    read_placement,
)


class Whereabouts:
    """Finds objects: at home, where ``placement.json`` says, or, if that fails, by their contents.

    Parameters
    ----------
    entries
        All entries of the ledger; asked for only when contents have to be compared.
    """

    def __init__(self, files: Files, entries: Callable[[], Iterable[LedgerEntry]]) -> None:
        self._files, self._entries = files, entries
        self._lock = Lock()
        self._seen: FileInfo | None = None
        self._placement = Placement()
        self._recognised: Mapping[str, str] | None = None

    def locate(self, key: str, name: str) -> str:
        """Path of an object; if it is nowhere, where it should be."""
        home = home_of(key, name)
        if self._files.exists(home):
            return home
        place = self._current_placement().path_of(key, name)
        if name not in depths_of_arrays() or (place is not None and self._files.exists(place)):
            return place or home
        return self._by_contents().get(home, place or home)

    def _current_placement(self) -> Placement:
        seen = self._files.stat(PLACEMENT)
        with self._lock:
            if seen != self._seen:
                try:
                    self._placement = read_placement(self._files)
                except DamagedPlacement:
                    self._placement = Placement()
                self._seen, self._recognised = seen, None
            return self._placement

    def _by_contents(self) -> Mapping[str, str]:
        """Where every object stands that is not at home, by its home. Compares checksums of what nobody owns."""
        with self._lock:
            if self._recognised is None:
                moves, _ = moves_to(self._files, Placement(), self._entries)  # what it would take to bring all home
                self._recognised = {home: path for path, home in moves.back}
            return self._recognised
