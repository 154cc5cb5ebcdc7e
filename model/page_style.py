"""How pages look, on light and dark screens and on paper."""

from typing import Final

_LIGHT: Final = """
    --page: #ffffff; --ink: #1d2125; --soft: #5b636b; --line: #d8dce0; --dead: #b9c0c7;
    --blue: #3f72af; --orange: #d1622b;
"""

_DARK: Final = """
    --page: #14171a; --ink: #e4e7ea; --soft: #a2abb3; --line: #353b41; --dead: #6b757f;
    --blue: #6ea3e0; --orange: #f0905a;
"""

_RULES: Final = """
:root { color-scheme: light dark; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 64px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 18px; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 4px; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 19px; line-height: 1.3; margin: 44px 0 10px; font-weight: 650; }
p { margin: 6px 0 12px; max-width: 80ch; }
sub { line-height: 0; }
.soft, figcaption, th { color: var(--soft); }
.where { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(158px, 1fr)); gap: 18px 24px; margin-top: 18px; }
.tile b { display: block; font-size: 23px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { font-size: 13px; color: var(--soft); display: block; line-height: 1.35; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 8px 0 14px; }
th, td { text-align: left; padding: 4px 18px 4px 0; vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 500; border-bottom: 1px solid var(--ink); white-space: nowrap; }
td { border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; font-size: 13px; margin: 8px 0; align-items: center; }
.legend i { display: inline-block; margin-right: 7px; }
.legend i.line { width: 18px; height: 0; border-top: 2.5px solid; vertical-align: 3px; }
.legend i.line0 { border-color: var(--blue); }
.legend i.line1 { border-color: var(--orange); }
.legend i.marker { border-top: 1.5px dashed var(--ink); }
.legend i.dot { width: 9px; height: 9px; border: 2px solid var(--ink); border-radius: 50%; background: var(--page); }
.legend i.dead { width: 14px; height: 12px; background: var(--dead); vertical-align: -1px; }
.ramp { width: 150px; height: 11px; image-rendering: auto; vertical-align: -1px; margin-right: 6px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 22px 28px; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 13px; text-align: center; line-height: 1.35; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 0.6; fill: none; }
.axis { stroke: var(--soft); stroke-width: 0.8; fill: none; }
.bars { fill: var(--blue); }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
polyline.line0 { stroke: var(--blue); }
polyline.line1 { stroke: var(--orange); }
path.marker { stroke: var(--ink); stroke-width: 1.1; stroke-dasharray: 4 3; fill: none; }
circle.paper { stroke: var(--ink); stroke-width: 2; fill: var(--page); }
.plane { margin: 22px 0 30px; }
.plane .about { font-size: 13px; color: var(--soft); line-height: 1.4; margin-bottom: 8px; }
.plane .about b { display: block; font-size: 15px; color: var(--ink); font-weight: 600; }
.planes { display: grid; grid-template-columns: 1fr 3fr; gap: 10px; max-width: 900px; align-items: center; }
.factors { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px 10px; }
.planes img { display: block; width: 100%; image-rendering: pixelated; background: var(--dead); }
@media (max-width: 720px) { .planes { grid-template-columns: 1fr; } .measured { max-width: 50%; } }
@media print {
  :root { LIGHT }
  body { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
  figure, tr, .plane, .tile { break-inside: avoid; }
  table { font-size: 8.5pt; }
  th, td { padding-right: 9px; }
}
"""

STYLE: Final = _RULES.replace("LIGHT", _LIGHT).replace("DARK", _DARK)
