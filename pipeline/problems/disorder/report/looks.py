"""How closed stores of disorder are shown: on a terminal, as a page, and as a sheet of samples."""

from pathlib import Path

from dsfu.pipeline.problems.disorder.report.page import report_html
from dsfu.pipeline.problems.disorder.report.sample_sheet import write_sample_sheet
from dsfu.pipeline.problems.disorder.report.store_summary import StoreSummary, summary_of
from dsfu.pipeline.problems.disorder.report.store_view import StoreView
from dsfu.pipeline.store.files import Files
from dsfu.words import count, grouped, size


class DisorderLooks:
    """See `dsfu.pipeline.report.looks.Looks`."""

    def summary(self, files: Files) -> StoreSummary:
        return summary_of(StoreView(files.url))

    def text(self, summary: StoreSummary) -> str:
        return _summary_text(summary)

    def page(self, files: Files) -> str:
        store = StoreView(files.url)
        return report_html(store, summary_of(store))

    def write_sheet(self, files: Files, path: Path, samples: int) -> None:
        write_sample_sheet(StoreView(files.url), path, samples)


def _summary_text(summary: StoreSummary) -> str:
    rows = [f"{summary.name} in {summary.url}"]
    rows += [
        f"  {split.name:<12}{count(split.samples, 'sample')} of {count(split.pairs, 'pair')}, "
        f"{grouped(split.kept)} unique"
        for split in summary.splits
    ]
    sets = ", ".join(f"{grouped(number)} {kind.replace('_', ' ')}" for kind, number in summary.sets.items())
    stored = "stored" if summary.materialised else "not stored"
    rows += [
        f"  planes      {summary.pixels} × {summary.pixels} pixels, {stored}",
        f"  sets        {sets or 'none'}",
        f"  masks       {grouped(summary.masks)}",
        f"  species     {grouped(summary.species)}",
        f"  size        {size(summary.sizes.total)}, {size(summary.bytes_per_sample)} a sample",
    ]
    for each in summary.distributions:
        rows.append(f"  {each.label}{f', {each.unit}' if each.unit else ''} (5 %, median, 95 %)")
        rows += [
            f"    {split:<12}{low:.3g}, {median:.3g}, {high:.3g}"
            for split, (_, low, median, high, _) in each.quantiles.items()
        ]
    return "\n".join(rows)
