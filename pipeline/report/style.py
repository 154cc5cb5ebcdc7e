"""What the report of a store adds to the style of all pages."""

from typing import Final

REPORT_STYLE: Final = """
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(290px, 100%), 1fr)); gap: 22px 20px; }
.charts figcaption { padding-left: 10%; }
.steps { stroke: var(--orange); stroke-width: 1.6; fill: none; stroke-linejoin: round; }
.key { fill: var(--blue); background: var(--blue); }
.uniqueness { fill: var(--purple); background: var(--purple); }
.quantise { fill: var(--olive); background: var(--olive); }
.compress { fill: var(--orange); background: var(--orange); }
.write { fill: var(--red); background: var(--red); }
.read { fill: var(--teal); background: var(--teal); }
.other { fill: var(--grey); background: var(--grey); }
svg.bar { height: 16px; min-width: 160px; }
table.full { width: 100%; }
td.wide { width: 84%; }
td.wide .legend { margin: 5px 0 0; }
.sample {
  display: grid; grid-template-columns: 186px minmax(0, 1fr); gap: 4px 14px; align-items: start; margin: 18px 0;
}
.sample .planes { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 6px 8px; }
.about { font-size: 13px; line-height: 1.4; overflow-wrap: anywhere; }
.about b { display: block; font-size: 14px; line-height: 1.3; }
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
  .sample { grid-template-columns: minmax(0, 1fr); }
  .sample .planes { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  td.wide { min-width: 200px; }
}
@media print {
  .tiles { grid-template-columns: repeat(5, 1fr); gap: 10px; }
  .tile b { font-size: 15pt; }
  .charts { grid-template-columns: repeat(3, 1fr); }
  .couples { grid-template-columns: repeat(3, 1fr); gap: 14px; }
  .sample { grid-template-columns: 190px minmax(0, 1fr); margin: 12px 0; }
  .sample .planes { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .sample, .couple { break-inside: avoid; }
}
"""
