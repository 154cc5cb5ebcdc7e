"""Panels of a sample as figures that are zoomed and turned."""

from typing import Any

import numpy as np

from dsfu.model.view.space import CLEAR, edges, in_space, surfaces
from dsfu.panels import Curve, Image, Panel, Points, VolumePanel

_COLOURS = ("#c9a227", "#3b6ea5", "#a63d40", "#5b8c5a", "#7d5ba6", "#4a4a4a", "#d17b0f", "#2a9d8f")


def panel_figure(panel: Panel) -> Any:
    """A figure of plotly."""
    match panel:
        case Curve():
            return _flat(_curve(panel), panel.title, panel.x_label, panel.y_label)
        case Image():
            return _flat(_image(panel), panel.title, "", "")
        case Points():
            return _titled(in_space(_points(panel)), panel.title)
        case VolumePanel():
            return _titled(in_space(surfaces(np.nan_to_num(panel.values), np.eye(3))), panel.title)


def _curve(panel: Curve) -> list[Any]:
    import plotly.graph_objects as go

    return [
        go.Scatter(x=panel.x, y=values, mode="lines", name=name, line={"width": 1.2, "color": colour})
        for (name, values), colour in zip(panel.lines.items(), _COLOURS[1:] * 9, strict=False)
    ]


def _image(panel: Image) -> list[Any]:
    import plotly.graph_objects as go

    scale = {"colorscale": "RdBu", "zmid": 0} if panel.signed else {"colorscale": "Inferno"}
    return [go.Heatmap(z=panel.values, zmin=panel.low, zmax=panel.high, colorbar={"thickness": 10}, **scale)]


def _points(panel: Points) -> list[Any]:
    import plotly.graph_objects as go

    balls = [
        go.Scatter3d(
            x=places[:, 0],
            y=places[:, 1],
            z=places[:, 2],
            mode="markers",
            name=name,
            marker={"size": 9, "color": colour, "line": {"color": "#444444", "width": 1}, "opacity": 1.0},
            hovertemplate=f"{name}<br>%{{x:.3f}} %{{y:.3f}} %{{z:.3f}} {panel.unit}<extra></extra>",
        )
        for (name, places), colour in zip(panel.points.items(), _COLOURS * 15, strict=False)
    ]
    return balls if panel.box is None else [*balls, *edges(panel.box)]


def _flat(traces: list[Any], title: str, x_label: str, y_label: str) -> Any:
    import plotly.graph_objects as go

    drawn = go.Figure(traces)
    drawn.update_layout(
        template="plotly_white",
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        xaxis_title=x_label,
        yaxis_title=y_label,
        showlegend=len(traces) > 1,
        margin={"l": 55, "r": 15, "t": 40, "b": 45},
    )
    if any(trace.type == "heatmap" for trace in traces):
        drawn.update_yaxes(scaleanchor="x", constrain="domain", showticklabels=False)  # pixels are counted, not Q
        drawn.update_xaxes(constrain="domain", showticklabels=False)
    return _titled(drawn, title)


def _titled(drawn: Any, title: str) -> Any:
    drawn.update_layout(title={"text": title, "font": {"size": 13}})
    if drawn.layout.margin.t == 0:
        drawn.update_layout(margin={"t": 40})
    return drawn
