"""Settings of all tests."""

import os

# Before torch is imported: its threads take more time to meet than tests have to compute, on machines with few cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import HealthCheck, settings

# Compiling takes seconds on first use, and machines are shared: time is no criterion. The same examples in every run.
settings.register_profile(
    "dsfu", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("dsfu")
