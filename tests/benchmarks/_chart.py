"""A bar chart as an SVG: bars to the right on a logarithmic scale, each with its value.

Its colours can be read on white and on black, as it does not know the page that it will stand on.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["chart"]

WIDTH, LABELS, VALUES = 760, 250, 70
BAR, BETWEEN, GROUP = 13, 2, 12
HEAD, FOOT = 62, 30

TEXT, LINE = "#76818d", "#76818d"
# One for each series, light and strong; the second pair for the one that the chart is about.
FILLS = (("#a3aeb9", "#76818d"), ("#6cb0f5", "#2f81d7"))


def chart(
    title: str,
    series: Sequence[str],
    bars: Mapping[str, Sequence[float]],
    emphasised: str,
) -> str:
    """Draw a chart.

    Args:
        title: What it shows.
        series: The name of each bar of a group.
        bars: By the name of the group, the milliseconds of its bars.
        emphasised: The group that the chart is about.
    """
    values = [value for group in bars.values() for value in group]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    group_height = len(series) * (BAR + BETWEEN) + GROUP
    height = HEAD + len(bars) * group_height + FOOT
    scale = (WIDTH - LABELS - VALUES) / (high - low)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" font-family="sans-serif" font-size="13" fill="{TEXT}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<text x="{LABELS}" y="18" font-size="15" font-weight="bold">{escape(title)}</text>',
        *_legend(series),
        *_grid(low, high, scale, height - FOOT),
    ]
    for number, (name, group) in enumerate(bars.items()):
        top = HEAD + number * group_height
        parts += _group(top, name, group, scale, low, name == emphasised)
    return "\n".join([*parts, "</svg>", ""])


def _legend(series: Sequence[str]) -> list[str]:
    parts = []
    x = LABELS
    for name, fill in zip(series, FILLS[0], strict=False):
        parts.append(f'<rect x="{x}" y="29" width="11" height="11" fill="{fill}"/>')
        parts.append(f'<text x="{x + 17}" y="39">{escape(name)}</text>')
        x += 40 + 7 * len(name)
    return parts


def _grid(low: int, high: int, scale: float, bottom: float) -> list[str]:
    parts = []
    for power in range(low, high + 1):
        x = LABELS + (power - low) * scale
        parts.append(
            f'<line x1="{x:.1f}" y1="{HEAD - 8}" x2="{x:.1f}" y2="{bottom}" stroke="{LINE}" '
            'stroke-opacity="0.35"/>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{10.0**power:g} ms</text>'
        )
    return parts


def _group(
    top: float, name: str, group: Sequence[float], scale: float, low: int, strong: bool
) -> list[str]:
    weight = ' font-weight="bold"' if strong else ""
    middle = top + len(group) * (BAR + BETWEEN) / 2 + 4
    parts = [
        f'<text x="{LABELS - 10}" y="{middle:.1f}" text-anchor="end"{weight}>{escape(name)}</text>'
    ]
    for number, (value, fill) in enumerate(zip(group, FILLS[strong], strict=False)):
        y = top + number * (BAR + BETWEEN)
        length = (math.log10(value) - low) * scale
        parts.append(
            f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{fill}"/>'
        )
        parts.append(
            f'<text x="{LABELS + length + 6:.1f}" y="{y + BAR - 2}" font-size="12"{weight}>'
            f"{_short(value)}</text>"
        )
    return parts


def _short(milliseconds: float) -> str:
    return f"{milliseconds:.2g} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
