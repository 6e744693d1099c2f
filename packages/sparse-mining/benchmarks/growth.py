"""How BM25 grows: build, search and memory at 10,000, 100,000 and 1,000,000 passages, ours and bm25s.

Run: `python benchmarks/growth.py`; prints a table for README.md and writes growth.svg.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from bench_bm25 import build, search
from corpus import synthetic

SVG = Path(__file__).parent / "growth.svg"
WIDTH, HEIGHT, MARGIN = 480, 300, 60


def figures(n_documents: int, n_queries: int) -> dict[str, float]:
    """Of ours and of bm25s, one thread."""
    texts = synthetic(n_documents, n_queries)
    index, peer, found = build(texts, 1)
    found |= search(texts, index, peer, 3)
    df = np.diff(index.postings.starts)
    found["postings_per_query"] = float(np.mean([df[query].sum() for query in texts.queries]))
    found["bm25s_ms"] = found["ms_1_threads"] * found["x_bm25s_1_threads"]
    return found


def draw(sizes: list[int], series: dict[str, list[float]]) -> str:
    """Milliseconds a query over passages, both axes logarithmic."""
    values = [value for line in series.values() for value in line]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def place(size: int, value: float) -> str:
        x = MARGIN + (math.log10(size) - math.log10(sizes[0])) / math.log10(sizes[-1] / sizes[0]) * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - (math.log10(value) - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f},{y:.1f}"

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for power in range(low, high + 1):
        x, y = place(sizes[0], 10.0**power).split(",")
        parts.append(f'<path d="M{x} {y}H{WIDTH - MARGIN}" stroke="#ddd"/>')
        parts.append(f'<text x="{float(x) - 8:.1f}" y="{y}" font-size="11" text-anchor="end">{10.0**power:g} ms</text>')
    for size in sizes:
        x = place(size, 10.0**low).split(",")[0]
        parts.append(f'<text x="{x}" y="{HEIGHT - MARGIN + 18}" font-size="11" text-anchor="middle">{size:,}</text>')
    for colour, (name, line) in zip(("#1b6", "#c52"), series.items(), strict=True):
        points = [place(size, value) for size, value in zip(sizes, line, strict=False)]
        parts.append(f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[-1].split(",")
        parts.append(
            f'<text x="{x}" y="{float(y) - 8:.1f}" font-size="12" text-anchor="end" fill="{colour}">{name}</text>'
        )
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 12}" font-size="12" text-anchor="middle">passages</text></svg>')
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--queries", type=int, default=1_000)
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    found = []
    print("| passages | build s | x bm25s | ms a query | bm25s ms | x bm25s | x, 2 threads | postings a query |")
    print("|---|---|---|---|---|---|---|---|")
    for size in sizes:
        f = figures(size, given.queries)
        found.append(f)
        cells = [f"{f['build_s']:.2f}", f"{f['build_x_bm25s']:.1f}", f"{f['ms_1_threads']:.3f}", f"{f['bm25s_ms']:.3f}"]
        cells += [f"{f['x_bm25s_1_threads']:.1f}", f"{f['x_bm25s_2_threads']:.1f}", f"{f['postings_per_query']:,.0f}"]
        print(f"| {size:,} | {' | '.join(cells)} |", flush=True)
    lines = {"sparse-mining": [f["ms_1_threads"] for f in found], "bm25s (numba)": [f["bm25s_ms"] for f in found]}
    SVG.write_text(draw(sizes, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
