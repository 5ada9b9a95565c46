"""What a benchmark of drag steps says: its table in Markdown, and its plot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Results = Mapping[str, Any]


def table(results: Results) -> str:
    """The steps as a Markdown table; then pictures and memory as far as they were measured."""
    machine, columns = results["machine"], results["columns"]
    card = machine.get("card")
    text = f"On one {card}, dragonnx in {machine['precision']}:\n\n" if card else ""
    text += _steps(results.get("steps", []), columns, digits=1 if card else 0)
    if pictures := results.get("pictures"):
        text += "\n" + _pictures(pictures, columns)
    told = [row for row in results.get("memory", []) if "MiB" in row]  # some systems do not tell
    return text + "\n" * bool(told) + "".join(f"- {_held(row)}\n" for row in told)


def _steps(rows: list[dict[str, Any]], columns: list[str], digits: int) -> str:
    lines = _head(["image", "points", "mask", "plain torch", *_with_ratios(columns)])
    for row in rows:
        kind = "StyleGAN3, " * (row["family"] == "stylegan3")
        cells = [f"{kind}{row['size']} px", str(row["points"]), "yes" if row["mask"] else "no"]
        lines.append(_line([*cells, *_times(row, columns, digits)]))
    return "\n".join(lines) + "\n"


def _pictures(rows: list[dict[str, Any]], columns: list[str]) -> str:
    columns = [name for name in columns if name in rows[0]]  # a preset is of drags alone
    lines = _head(["picture", "plain torch", *_with_ratios(columns)])
    lines += [_line([f"{row['size']} px", *_times(row, columns, 1)]) for row in rows]
    return "\n".join(lines) + "\n"


def _times(row: dict[str, Any], columns: list[str], digits: int) -> list[str]:
    """Milliseconds of plain torch, then of each column with how many times faster it is."""
    cells = [f"{row['torch'] * 1e3:.{digits}f} ms"]
    for name in columns:
        cells += [f"{row[name] * 1e3:.{digits}f} ms", f"{row['torch'] / row[name]:.{digits}f}"]
    return cells


def _with_ratios(columns: list[str]) -> list[str]:
    return [cell for name in columns for cell in (name, "ratio")]


def _head(names: list[str]) -> list[str]:
    return [_line(names), "|" + "---|" * len(names)]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _held(row: dict[str, Any]) -> str:
    """The memory of one drag in a sentence."""
    what = f"{row['points']} point{'s' * (row['points'] > 1)}" + ", mask" * row["mask"]
    rate = f", {row['steps per second']:.0f} steps a second" if "steps per second" in row else ""
    kind = {"torch": "plain torch"}.get(row["kind"], row["kind"])
    return (
        f"memory of a drag at {row['size']} px, {what}, {kind}: {row['MiB'] / 1024:.2f} GiB{rate}"
    )


def plot(results: Results, path: Path) -> None:
    """Time a step against image size and against the number of points."""
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    free = [row for row in results["steps"] if not row["mask"] and row["family"] == "stylegan2"]
    sizes, counts = (sorted({row[key] for row in free}) for key in ("size", "points"))
    for name, colour in (("torch", "#c0392b"), ("whole maps", "#e0a030"), ("dragonnx", "#2c6fbb")):
        single = [row for row in free if row["points"] == 1]
        left.plot([r["size"] for r in single], [r[name] for r in single], "o-", color=colour,
                  label={"torch": "plain torch", "whole maps": "dragonnx, whole maps",
                         "dragonnx": "dragonnx"}[name])  # fmt: skip
        several = [row for row in free if row["size"] == 512 and name in row]
        if len(several) > 1:
            right.plot(
                [r["points"] for r in several], [r[name] for r in several], "o-", color=colour
            )
    left.set(
        xscale="log", yscale="log", xlabel="image size [px], one point", ylabel="seconds a step"
    )
    left.set_xticks(sizes, [str(size) for size in sizes])
    left.minorticks_off()
    right.set(xlabel="points, 512 px", xticks=counts)
    left.legend(frameon=False, loc="center left", bbox_to_anchor=(0, 0.38))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
