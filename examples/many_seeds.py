"""One drag on many seeds, by a worker process for each core: `python many_seeds.py [SEEDS]`."""

import sys

from dragonnx.batch import run

count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
nose = [{"handle": [113, 151], "target": [143, 151]}]
jobs = ({"seed": seed, "points": nose, "config": {"max_steps": 20}} for seed in range(count))
for result in run(jobs, "many-seeds"):
    print(result.id, result.outcome, result.reason or result.picture)
