"""The picture of a run: each route's percentiles, readable on a light page and on a dark one."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from benchmarks.load.answers import ALL_READS, Line

GREY = "#808080"  # has enough contrast on white and on black
STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground=GREY,
    foreground_strong=GREY,
    foreground_subtle=GREY,
    guide_stroke_color=GREY,
    major_guide_stroke_color=GREY,
    colors=("#2a9d8f", "#e9a23b", "#d1495b"),
    font_family="sans-serif",
    opacity="1",
)


def plotted(table: Sequence[Line], title: str) -> bytes:
    """An SVG without scripts."""
    chart = pygal.HorizontalBar(
        title=f"Milliseconds by route ({title})",
        style=STYLE,
        js=[],
        width=900,
        height=80 + 40 * len(table),
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        value_formatter="{:.0f}".format,
    )
    shown = [line for line in table if line.route != ALL_READS][::-1]  # the lowest is the first
    chart.x_labels = [line.route for line in shown]
    chart.add("p50", [line.p50 for line in shown])
    chart.add("p95", [line.p95 for line in shown])
    chart.add("p99", [line.p99 for line in shown])
    chart.add_xml_filter(_without_scripts)
    return bytes(chart.render())


def _without_scripts(root: Element) -> Element:
    """A picture in a page runs nothing; pygal leaves its settings for its tooltips there."""
    for definitions in root.findall("defs"):
        for script in definitions.findall("script"):
            definitions.remove(script)
    return root
