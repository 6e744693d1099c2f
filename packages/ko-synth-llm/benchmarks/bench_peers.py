"""Ours, distilabel and bespoke curator on one server, taking turns: cold, and again over the same records.

Run: `python benchmarks/bench_peers.py [--records 2560] [--latencies 0.2,0.02] [--check | --record]`; it needs the extra
`openai` and uv, which installs each peer in an environment of its own. A time is from the records in memory to all
answers on disk, in a process of its own, without its imports.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from figures import add_options, settle
from quick_server import server

HERE = Path(__file__).parent
IN_FLIGHT = 64
"""Requests at once, of each peer."""
PEERS = {
    "ko_synth_llm": [],
    "distilabel": ["distilabel[openai]==1.5.3", "setuptools", "requests"],
    "curator": ["bespokelabs-curator==0.1.31", "setuptools"],
}
TIMEOUT_S = 900.0


def command(name: str) -> list[str]:
    """What runs a peer's script; ours runs in this environment."""
    script = str(HERE / "peers" / f"ask_{name}.py")
    if not PEERS[name]:
        return [sys.executable, script]
    needed = [part for requirement in PEERS[name] for part in ("--with", requirement)]
    return ["uv", "run", "--quiet", "--no-project", "--python", sys.executable, *needed, "python", script]


def rate(name: str, url: str, n_records: int, folder: Path) -> float:
    """Records a second, as the script says."""
    folder.mkdir(exist_ok=True)
    call = [*command(name), url, str(n_records), str(folder)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=TIMEOUT_S, env={**os.environ, "NO_COLOR": "1"})
    said = [line for line in done.stdout.splitlines() if line.startswith("rate ")]
    if done.returncode or not said:
        sys.exit(f"{name} failed: {done.stderr[-2000:]}")
    return float(said[-1].split()[1])


def rates(latency_s: float, n_records: int, n_rounds: int) -> dict[str, float]:
    """The best rate of each peer, cold and warm, of several rounds in turns."""
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place, server(latency_s) as url:
        for number in range(n_rounds):
            for kind in ("cold", "warm"):
                for name in PEERS:
                    found = rate(name, url, n_records, Path(place) / f"{name}-{number}")
                    best[f"{name}_{kind}_per_s"] = max(found, best.get(f"{name}_{kind}_per_s", 0.0))
                    print(f"{name}, {kind}: {found:.0f}/s", file=sys.stderr, flush=True)
    return best


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2560)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--latencies", default="0.2,0.02", help="Seconds that the server takes to answer.")
    add_options(parser)
    options = parser.parse_args()
    for latency_s in map(float, options.latencies.split(",")):
        best = rates(latency_s, options.records, options.rounds)
        ratios = {
            f"{kind}_x_{name}": best[f"ko_synth_llm_{kind}_per_s"] / best[f"{name}_{kind}_per_s"]
            for name in PEERS
            if PEERS[name]
            for kind in ("cold", "warm")
        }
        ideal = IN_FLIGHT / latency_s
        figures = {"n_records": options.records, "ideal_per_s": ideal, **best, **ratios}
        settle(f"peers at {latency_s:g} s", figures, ratios=ratios, options=options)


if __name__ == "__main__":
    main()
