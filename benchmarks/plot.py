"""The picture: what a build with nothing to do costs against the number of jobs."""

from __future__ import annotations

from pathlib import Path

from records import Results


def draw(results: Results, file: Path) -> bool:
    """Writes an SVG of the shape `wide`; says whether there was anything to draw. Raises
    ModuleNotFoundError without matplotlib."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    records = results.find("wide", "noop")
    tools = list(dict.fromkeys(tool for each in records for tool in each.figures))
    if not tools:
        return False
    matplotlib.rcParams["svg.hashsalt"] = "pybuild"  # the same figures make the same file
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    for tool in tools:
        points = [
            (each.jobs, each.median(tool, "wall") * 1000)
            for each in records
            if each.figures.get(tool)
        ]
        axes.loglog(
            *zip(*points, strict=True),
            marker="o",
            label=tool,
            linewidth=2.5 if tool == "pybuild" else 1.2,
        )
    axes.set_xlabel("jobs (independent, two files each)")
    axes.set_ylabel("milliseconds, wall")
    axes.set_title("A build with nothing to do")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend()
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    return True
