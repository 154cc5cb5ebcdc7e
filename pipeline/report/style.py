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
.panels { display: flex; flex-wrap: wrap; gap: 8px 20px; }
.panels img { max-width: 100%; height: auto; display: block; background: #ffffff; }
.about { font-size: 13px; line-height: 1.4; overflow-wrap: anywhere; }
.about b { display: block; font-size: 14px; line-height: 1.3; }
@media (max-width: 720px) {
  .sample { grid-template-columns: minmax(0, 1fr); }
  td.wide { min-width: 200px; }
}
@media print {
  .tiles { grid-template-columns: repeat(5, 1fr); gap: 10px; }
  .tile b { font-size: 15pt; }
  .charts { grid-template-columns: repeat(3, 1fr); }
  .sample { grid-template-columns: 190px minmax(0, 1fr); margin: 12px 0; }
}
"""
