"""The curves of a training run as a picture, for eyes alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sparse_encoder._files import InputError, whole

PANELS = (
    ("loss", ("loss", "val_ndcg_at_10")),
    ("active terms of a document", ("active_terms", "val_active_terms")),
    ("learning rate", ("rate",)),
)
"""A panel's name and the numbers of the history that it shows; those of evaluations have an axis of their own."""


def require_matplotlib() -> None:
    """ImportError with the command that installs it, where it is missing."""
    try:
        import matplotlib  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ImportError('curves are drawn by matplotlib: pip install "sparse-encoder[plot]"') from error


def draw_curve(entries: Sequence[Mapping[str, float]], path: Path) -> None:
    """Writes a PNG of the history's loss, nDCG@10, active terms and rate over the steps; the same bytes every time."""
    require_matplotlib()
    from matplotlib.figure import Figure

    if not entries:
        raise InputError(f"{path}: the history has no entry to draw")
    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.subplots(len(PANELS), 1, sharex=True)
    for axis, (title, names) in zip(axes, PANELS, strict=True):
        axis.set_title(title, loc="left", fontsize=10)
        for name in names:
            points = [(entry["step"], entry[name]) for entry in entries if name in entry]
            if not points:
                continue
            is_measure = name == "val_ndcg_at_10"
            place = axis.twinx() if is_measure else axis
            style = {"color": "tab:orange", "marker": "o"} if name.startswith("val_") else {"color": "tab:blue"}
            place.plot(*zip(*points, strict=True), label=name, **style)
            place.set_ylabel("validation nDCG@10" if is_measure else name, color=style["color"])
        axis.grid(alpha=0.3)
    axes[-1].set_xlabel("step")
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=110, metadata={"Software": None})
