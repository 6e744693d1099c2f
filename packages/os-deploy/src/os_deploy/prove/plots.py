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

    kinds = dict.fromkeys((r.name, r.mode) for r in bench.rows)
    figure = Figure(figsize=(11, 2.5 + 0.3 * len(kinds)), layout="constrained")
    latency, throughput = figure.subplots(1, 2)
    one = [r for r in bench.rows if r.warm and r.concurrency == min(x.concurrency for x in bench.rows if x.warm)]
    names = [f"{r.name} {r.mode}" for r in one]
    latency.barh(names, [r.p99_ms for r in one], color="#c6dbef", label="p99")
    latency.barh(names, [r.p50_ms for r in one], color="#3182bd", label="p50", height=0.5)
    latency.invert_yaxis()
    latency.set_xlabel("ms a query, one client")
    latency.tick_params(axis="y", labelsize=8)
    latency.legend()
    for kind in kinds:
        rows = sorted((r for r in bench.rows if r.warm and (r.name, r.mode) == kind), key=lambda r: r.concurrency)
        throughput.plot([r.concurrency for r in rows], [r.per_second for r in rows], marker="o", label=" ".join(kind))
    throughput.set_xlabel("clients")
    throughput.set_ylabel("queries a second")
    throughput.legend(fontsize=7)
    with whole(path) as part:
        figure.savefig(part, format="png", dpi=120, metadata={"Software": None})
