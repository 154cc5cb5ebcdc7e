"""Where Q ended when G(r) was measured, for files that do not say: the sine transform of G falls off there."""

from typing import Final

import numpy as np

from dsfu.simulate.arrays import FloatArray

_FIRST, _LAST = 8.0, 45.0  # 1/Å, of all laboratory and synchrotron instruments for PDFs
_STEP: Final = 0.1
_FALL: Final = 8.0
"""How many times the power must fall at the edge. Chosen; on files that say Q_max it is 20 to 10 000."""


def visible_q_max(r: FloatArray, g: FloatArray) -> float | None:
    """The upper limit of Q in 1/Å, or None if none can be seen."""
    last = min(_LAST, np.pi / float(np.median(np.diff(r))))
    q = np.arange(_FIRST - 4, last, _STEP)
    near = r <= 40.0
    where, values = r[near], g[near] * np.hanning(2 * near.sum())[near.sum() :]
    power = (np.sin(np.outer(q, where)) @ (values * np.gradient(where))) ** 2
    best, edge = 0.0, None
    width = int(2.0 / _STEP)
    gap = int(0.5 / _STEP)
    for i in range(width, len(q) - width - gap):
        below, above = power[i - width : i].mean(), power[i + gap : i + gap + width].mean()
        if q[i] >= _FIRST and below > best * above:
            best, edge = below / max(above, 1e-300), float(q[i])
    if edge is None or best <= _FALL:
        return None
    before = power[(q >= edge - 3.0) & (q < edge - 1.0)].mean()  # the edge itself is smeared by the range of r
    return float(q[(q < edge) & (power > 0.2 * before)].max(initial=_FIRST))
