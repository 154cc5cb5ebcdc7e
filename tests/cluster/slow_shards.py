"""Makes shards slowly, on workers: so that something can happen in the meantime."""

import time

from dsfu.pipeline.specs import LedgerEntry, ShardSpec
from dsfu.pipeline.tasks import make_shard


def make_slowly(store_url: str, seconds: float, spec: ShardSpec) -> LedgerEntry:
    time.sleep(seconds)
    return make_shard(store_url, spec)
