"""The frame of the report: its style, and the page around its sections. Nothing is loaded from elsewhere."""

from collections.abc import Sequence
from html import escape
from typing import Final

_LIGHT: Final = """
    --page: #ffffff; --ink: #1d2125; --soft: #5b636b; --line: #d8dce0; --field: #f4f6f7;
    --dead: #b9c0c7; --warn: #9a3412; --warn-field: #fdf1ea;
    --blue: #3f72af; --orange: #d1622b; --olive: #7a8c3a; --purple: #8a5fa8; --grey: #9aa3ab; --red: #a8323e;
    --teal: #3a9a96;
"""

_DARK: Final = """
    --page: #14171a; --ink: #e4e7ea; --soft: #a2abb3; --line: #353b41; --field: #1d2125;
    --dead: #6b757f; --warn: #f5a97f; --warn-field: #2b1f19;
    --blue: #6ea3e0; --orange: #f0905a; --olive: #a9bd62; --purple: #b894d6; --grey: #7d868e; --red: #e27480;
    --teal: #5fc0bb;
"""

_RULES: Final = """
:root { color-scheme: light dark; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 64px; }
header { border-bottom: 1px solid var(--line); padding-bottom: 18px; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 4px; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 19px; line-height: 1.3; margin: 44px 0 10px; font-weight: 650; }
h3 { font-size: 15px; margin: 26px 0 6px; font-weight: 650; }
p { margin: 6px 0 12px; max-width: 76ch; }
.soft, figcaption, th { color: var(--soft); }
.where { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(158px, 1fr)); gap: 18px 24px; margin-top: 18px; }
.tile b { display: block; font-size: 23px; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { font-size: 13px; color: var(--soft); display: block; line-height: 1.35; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 8px 0 14px; }
th, td { text-align: left; padding: 4px 18px 4px 0; vertical-align: top; }
th { font-weight: 500; border-bottom: 1px solid var(--ink); white-space: nowrap; }
td { border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
tr.total td { font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; margin: 8px 0; }
.legend i { display: inline-block; width: 14px; height: 10px; margin-right: 6px; }
.legend i.line { height: 0; border-top: 2.5px solid var(--orange); vertical-align: 3px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(290px, 100%), 1fr)); gap: 22px 20px; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 13px; text-align: center; line-height: 1.3; }
.charts figcaption { padding-left: 10%; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 11px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--line); stroke-width: 0.6; fill: none; }
.axis { stroke: var(--soft); stroke-width: 0.8; fill: none; }
.bars { fill: var(--blue); }
.steps { stroke: var(--orange); stroke-width: 1.6; fill: none; stroke-linejoin: round; }
.marker { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; fill: none; }
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
.warning { background: var(--warn-field); border-left: 3px solid var(--warn); padding: 8px 14px; margin: 18px 0 0; }
.warning b { color: var(--warn); }
pre {
  background: var(--field); padding: 12px 14px; font: 12.5px/1.5 ui-monospace, "SF Mono", Consolas, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; margin: 6px 0 14px;
}
summary { cursor: pointer; color: var(--soft); font-size: 14px; }
a { color: var(--blue); }
@media (max-width: 720px) {
  main { padding: 18px 14px 48px; }
  .sample { grid-template-columns: minmax(0, 1fr); }
  .sample .planes { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  td.wide { min-width: 200px; }
  th, td { padding-right: 12px; }
}
@media print {
  :root { LIGHT }
  body { font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  th, td { padding-right: 9px; }
  th { white-space: normal; }
  .tiles { grid-template-columns: repeat(5, 1fr); gap: 10px; }
  .tile b { font-size: 15pt; }
  .charts { grid-template-columns: repeat(3, 1fr); }
  .couples { grid-template-columns: repeat(3, 1fr); gap: 14px; }
  .sample { grid-template-columns: 190px minmax(0, 1fr); margin: 12px 0; }
  .sample .planes { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  details::details-content { content-visibility: visible; display: block; }
  figure, tr, .sample, .couple, .tile { break-inside: avoid; }
}
"""

_STYLE: Final = _RULES.replace("LIGHT", _LIGHT).replace("DARK", _DARK)

_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What browsers let the page do: show itself."""


def page(title: str, header: str, sections: Sequence[tuple[str, str]]) -> str:
    """The whole document. Sections are (heading, HTML); those without content are left out."""
    body = "\n".join(
        f'<section aria-labelledby="part{number}"><h2 id="part{number}">{escape(heading)}</h2>\n{content}</section>'
        for number, (heading, content) in enumerate(sections)
        if content
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<header>{header}</header>\n{body}\n</main>\n</body>\n</html>\n"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, total: bool = False) -> str:
    """A table of cells that are HTML already. Heads that begin with ">" are those of numbers, to be set to the right.

    The last row can be a total. No head is drawn if all are empty.
    """
    right = [head.startswith(">") for head in heads]
    head = "".join(
        f'<th scope="col"{" class=number" if is_number else ""}>{name.removeprefix(">")}</th>'
        for name, is_number in zip(heads, right, strict=True)
    )
    lines = []
    for number, row in enumerate(rows):
        cells = "".join(
            f"<td{' class=number' if is_number else ''}>{cell}</td>" for cell, is_number in zip(row, right, strict=True)
        )
        lines.append(f"<tr{' class=total' if total and number == len(rows) - 1 else ''}>{cells}</tr>")
    top = f"<thead><tr>{head}</tr></thead>" if any(name.strip(">") for name in heads) else ""
    return f'<div class="scroll"><table>{top}<tbody>{"".join(lines)}</tbody></table></div>'


def tiles(values: Sequence[tuple[str, str]]) -> str:
    """Large numbers with what they mean; both are text."""
    each = (f'<div class="tile"><b>{escape(value)}</b><span>{escape(words)}</span></div>' for value, words in values)
    return f'<div class="tiles">{"".join(each)}</div>'
