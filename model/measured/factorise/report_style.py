"""What the report of a factorisation adds to the style of pages."""

from typing import Final

from dsfu.model.measured.factorise.pictures import FROM_DATA, NOT_MEASURED, UNDETERMINED

REPORT_STYLE: Final = (
    """
.checks td:first-child, .checks td:nth-child(2) { white-space: nowrap; }
td:first-child { overflow-wrap: normal; white-space: nowrap; }
.factored { background: #ffffff; padding: 6px; border-radius: 4px; }
.factored img { display: block; width: 100%; height: auto; }
.factored figcaption { color: #4c545c; text-align: left; padding: 6px 4px 2px; max-width: none; }
.swatch { display: inline-block; width: 14px; height: 12px; vertical-align: -1px; margin: 0 5px 0 0; }
.swatch.data { background: FROM_DATA; }
.swatch.weak { background: UNDETERMINED; }
.swatch.dead { background: NOT_MEASURED; }
@media print { .verdict, .factored, .swatch { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
""".replace("FROM_DATA", FROM_DATA)
    .replace("UNDETERMINED", UNDETERMINED)
    .replace("NOT_MEASURED", NOT_MEASURED)
)
