"""What the report of disorder adds to the style of all reports: pictures of planes, four in a row."""

from typing import Final

from dsfu.pipeline.report.style import REPORT_STYLE

PLANES_STYLE: Final = (
    REPORT_STYLE
    + """
.sample .planes { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 6px 8px; }
.couples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(330px, 100%), 1fr)); gap: 24px; }
.couple .planes { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
.below { font-size: 13px; color: var(--soft); text-align: center; padding-left: 10%; line-height: 1.3; }
.couple figcaption { margin-top: 4px; }
.couple figcaption b { color: var(--ink); font-weight: 600; }
.plane text { font-size: 11px; }
.plane .dead { fill: var(--dead); }
.plane .edge { fill: none; stroke: var(--soft); stroke-width: 0.8; }
.ramp { display: flex; align-items: center; gap: 8px; font-size: 13px; color: var(--soft); flex-wrap: wrap; }
.ramp svg { width: 160px; height: 10px; flex: none; }
.ramp b { display: inline-block; width: 14px; height: 12px; vertical-align: -1px; margin: 0 4px 0 12px; }
.ramp b.dead { background: var(--dead); }
@media (max-width: 720px) {
  .sample .planes { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media print {
  .couples { grid-template-columns: repeat(3, 1fr); gap: 14px; }
  .sample .planes { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .sample, .couple { break-inside: avoid; }
}
"""
)
