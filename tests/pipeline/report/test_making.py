"""What the report says of how a store was made."""

from dsfu.pipeline.report.making import day


def test_times_are_told_to_the_second() -> None:
    assert day("2026-11-28T16:53:56.785+00:00") == "2026-11-28 16:53:56 UTC"
    assert day("2026-11-28T16:53:56+00:00") == "2026-11-28 16:53:56 UTC"
