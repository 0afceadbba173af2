"""Runs the side-by-side benchmark: ``script/bench [scenario …] [--repeat N] [--ours]``."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import time
import traceback

from bench import proc
from bench.contest import Contest
from bench.figures import OURS, Results, median
from bench.measure import Noise
from bench.peers import PEERS
from bench.peers.limit import Limit
from bench.plot import write_plot
from bench.report import write_table
from bench.scenarios import SCENARIOS
from bench.stand import stand


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument("--repeat", type=int, default=1, help="how often each is run; medians are kept")
    parser.add_argument(
        "--ours", action="store_true", help="without the peers; the limit is measured all the same"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    proc.raise_file_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the started processes on the way out
    gc.disable()  # the load client creates no cycles, and a collection would look like a slow server
    results = Results.read()
    failed = []
    with stand() as made:
        contest = Contest(made, [Limit(), *([] if asked.ours else PEERS)])
        for name in asked.scenarios or SCENARIOS:
            print(name, flush=True)
            at, noise = time.strftime("%Y-%m-%d %H:%M"), Noise()
            try:
                found = median([SCENARIOS[name](contest) for _ in range(asked.repeat)])
            except Exception:  # the other scenarios still run
                traceback.print_exc()
                failed.append(name)
                continue
            doubt = noise.doubt
            for figure in found:
                figure.at = at
                if doubt and OURS in figure.values:
                    figure.doubts.setdefault(OURS, doubt)
            results.replace(found, list(SCENARIOS), contest.absent)
            results.write()
    write_table(results)
    write_plot(results)
    if failed:
        raise SystemExit(f"bench: {', '.join(failed)} failed, see above; the rest is in bench/results/")


if __name__ == "__main__":
    main()
