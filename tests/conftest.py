"""Settings of all tests."""

from hypothesis import settings

# Compiling takes seconds on first use, and machines are shared: time is no criterion. The same examples in every run.
settings.register_profile("dsfu", deadline=None, derandomize=True)
settings.load_profile("dsfu")
