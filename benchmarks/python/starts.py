"""How long Python's start methods take: prints JSON {method: {start, hundred}} in milliseconds."""

import json
import multiprocessing as mp
import sys
import time


def nothing():
    pass


def once(context):
    start = time.perf_counter()
    child = context.Process(target=nothing)
    child.start()
    child.join()
    return (time.perf_counter() - start) * 1e3


def many(context, count):
    start = time.perf_counter()
    children = [context.Process(target=nothing) for _ in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    rounds, count = int(sys.argv[1]), int(sys.argv[2])
    figures = {}
    for method in ("spawn", "forkserver", "fork"):
        context = mp.get_context(method)
        once(context)
        figures[method] = {
            "start": [once(context) for _ in range(rounds)],
            "hundred": many(context, count),
        }
    print(json.dumps(figures))
