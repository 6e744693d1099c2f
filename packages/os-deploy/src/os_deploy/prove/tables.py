"""A benchmark as lines of text, for a terminal."""

from os_deploy.prove.bench import Bench, IndexSize, Quality


def table(bench: Bench) -> list[str]:
    """Latency, quality and size, and which sparse query to use."""
    width = max([len(r.name) for r in bench.rows] + [len("deployment")]) + 2
    times = "".join(f"{name:>9}" for name in ("p50 ms", "p95 ms", "p99 ms", "per s"))
    lines = [f"{'deployment':<{width}}{'query':<14}{'clients':>8}{'state':>6}{times}"]
    lines += [
        f"{r.name:<{width}}{r.mode:<14}{r.concurrency:>8}{'warm' if r.warm else 'cold':>6}"
        f"{r.p50_ms:>9.2f}{r.p95_ms:>9.2f}{r.p99_ms:>9.2f}{r.per_second:>9.1f}"
        for r in bench.rows
    ]
    if bench.quality:
        lines += ["", f"{'deployment':<{width}}{'query':<14}{'nDCG@10':>9}{'loss':>9}{'of exact top 10':>17}"]
        lines += [_quality_line(q, width) for q in bench.quality]
    return [*lines, "", *(_size_line(i) for i in bench.indices), f"recommended: {bench.recommended} ({bench.why})"]


def _quality_line(quality: Quality, width: int) -> str:
    ndcg, loss = (f"{v:.4f}" if v is not None else "-" for v in (quality.ndcg, quality.loss))
    share = f"{quality.overlap:.1%}" if quality.overlap is not None else "-"
    return f"{quality.name:<{width}}{quality.mode:<14}{ndcg:>9}{loss:>9}{share:>17}"


def _size_line(size: IndexSize) -> str:
    rate = f", {size.n_passages / size.ingest_s:.0f} a second sent" if size.ingest_s else ""
    merged = f" and {size.merge_s:.1f} s to merge" if size.ingest_s else ""
    return f"{size.name}: {size.n_passages} passages, {size.n_bytes / 1e6:.1f} MB as {size.field}{rate}{merged}"
