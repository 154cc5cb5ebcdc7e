"""What the page of an evaluation adds to the style of all pages."""

from typing import Final

EVALUATION_STYLE: Final = """
.legend { gap: 4px 22px; }
.legend i { width: auto; height: auto; margin-right: 7px; }
.legend i.line { width: 18px; height: 0; }
.legend i.line0 { border-color: var(--blue); }
.legend i.line1 { border-color: var(--orange); }
.legend i.marker { border-top: 1.5px dashed var(--ink); }
.legend i.dot { width: 9px; height: 9px; border: 2px solid var(--ink); border-radius: 50%; background: var(--page); }
.legend i.dead { width: 14px; height: 12px; background: var(--dead); vertical-align: -1px; }
.ramp { width: 150px; height: 11px; image-rendering: auto; vertical-align: -1px; margin-right: 6px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 22px 28px; }
circle.paper { stroke: var(--ink); stroke-width: 2; fill: var(--page); }
.plane { margin: 22px 0 30px; }
.plane .about { font-size: 13px; color: var(--soft); line-height: 1.4; margin-bottom: 8px; }
.plane .about b { display: block; font-size: 15px; color: var(--ink); font-weight: 600; }
.planes { display: grid; grid-template-columns: 1fr 3fr; gap: 10px; max-width: 900px; align-items: center; }
.factors { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px 10px; }
.planes img { display: block; width: 100%; image-rendering: pixelated; background: var(--dead); }
@media (max-width: 720px) { .planes { grid-template-columns: 1fr; } .measured { max-width: 50%; } }
@media print { .plane { break-inside: avoid; } }
"""
