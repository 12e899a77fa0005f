"""Measures one of Python's start methods as src/programs/starts.ts says: python3 starts.py SPEC."""

import json
import multiprocessing
import re
import statistics
import sys
import time


# For how long starts come first that are not counted, in seconds.
WARM_UP = 0.5


def nothing():
    pass


def wait(ready, go):
    ready.set()
    go.wait()


def run(context, count):
    """Milliseconds until so many have started and ended."""
    before = time.perf_counter()
    children = [context.Process(target=nothing) for _ in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    milliseconds = (time.perf_counter() - before) * 1e3
    assert all(child.exitcode == 0 for child in children)
    return milliseconds


def memory(context, count):
    ready = [context.Event() for _ in range(count)]
    go = context.Event()
    children = [context.Process(target=wait, args=(mine, go)) for mine in ready]
    for child in children:
        child.start()
    for mine in ready:
        mine.wait()
    shares = [share_of(child.pid) for child in children]
    go.set()
    for child in children:
        child.join()
    return statistics.median(shares)


def share_of(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf8") as file:
        return 1024 * int(re.search(r"^Pss:\s+(\d+)", file.read(), re.MULTILINE)[1])


def main():
    spec = json.loads(sys.argv[1])
    context = multiprocessing.get_context(spec["way"].removeprefix("python-"))
    run(context, 1)
    if spec["what"] == "one":
        end = time.perf_counter() + WARM_UP
        while time.perf_counter() < end:
            run(context, 1)
        print(statistics.median(run(context, 1) for _ in range(spec["count"])))
    elif spec["what"] == "many":
        print(run(context, spec["count"]))
    else:
        print(memory(context, spec["count"]))


if __name__ == "__main__":
    main()
