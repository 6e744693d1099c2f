"""Draws a benchmark: p50 and p99 of each kind of query for one client, and throughput by clients."""

from pathlib import Path

from os_deploy._files import whole
from os_deploy.prove.bench import Bench


def draw(bench: Bench, path: Path) -> None:
    """Writes one PNG with two panels; the same report gives the same bytes."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError('drawing needs an extra: pip install "os-deploy[bench]"') from error

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    latency, throughput = figure.subplots(1, 2)
    one = [r for r in bench.rows if r.warm and r.concurrency == min(x.concurrency for x in bench.rows if x.warm)]
    names = [f"{r.name}\n{r.mode}" for r in one]
    latency.bar(names, [r.p99_ms for r in one], color="#c6dbef", label="p99")
    latency.bar(names, [r.p50_ms for r in one], color="#3182bd", label="p50", width=0.5)
    latency.set_ylabel("ms a query, one client")
    latency.tick_params(axis="x", labelsize=7)
    latency.legend()
    for kind in dict.fromkeys((r.name, r.mode) for r in bench.rows):
        rows = sorted((r for r in bench.rows if r.warm and (r.name, r.mode) == kind), key=lambda r: r.concurrency)
        throughput.plot([r.concurrency for r in rows], [r.per_second for r in rows], marker="o", label=" ".join(kind))
    throughput.set_xlabel("clients")
    throughput.set_ylabel("queries a second")
    throughput.legend(fontsize=7)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120, metadata={"Software": None})
