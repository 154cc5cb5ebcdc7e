"""Read a closed store of diffuse scattering; docs/reading.md says how. Its home is `problems.disorder.data.shards`."""

from dsfu.model.problems.disorder.data.shards import PlaneSource, Split, Store, TwoFactors, open_store

__all__ = ["PlaneSource", "Split", "Store", "TwoFactors", "open_store"]
