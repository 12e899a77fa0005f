"""Measures Python's pools as src/pool/spec.ts says: python3 pools.py SPEC."""

import time

# What a program imports is a part of its time to the first result.
BEGAN = time.perf_counter()

import json
import multiprocessing
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor

MEGABYTE = 2**20
FILLING = 7


def noop():
    return 1


def square(n):
    return n * n


def echo(data):
    return data


def work(seed):
    """Computes for about ten milliseconds; the result depends on every step."""
    x = seed
    for _ in range(120_000):
        x = (x * 1_103_515_245 + 12_345) % 2_147_483_648
    return x


def timed(spec, run):
    run(-(-spec["count"] // 5))
    before = time.perf_counter()
    run(spec["count"])
    return spec["count"] / (time.perf_counter() - before)


def share_of_tree():
    """The proportional share (PSS) of memory of this process and its children, in bytes."""
    children = [child.pid for child in multiprocessing.active_children()]
    return sum(map(share_of, [os.getpid(), *children]))


def share_of(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf8") as file:
        return 1024 * int(re.search(r"^Pss:\s+(\d+)", file.read(), re.MULTILINE)[1])


class Calls:
    """The calls of a pool. `submit` gives what `result` takes."""

    def __init__(self, submit, result, map_all, imap):
        self.submit, self.result, self.map_all, self.imap = submit, result, map_all, imap

    def apply(self, function, *args):
        return self.result(self.submit(function, *args))

    def all(self, function, argument_lists):
        return [self.result(each) for each in [self.submit(function, *a) for a in argument_lists]]


def burst(calls, count):
    assert calls.all(noop, [()] * count) == [1] * count


def round_trips(calls, count):
    for _ in range(count):
        assert calls.apply(noop) == 1


def large(calls, count):
    data = bytes([FILLING]) * MEGABYTE
    for _ in range(count):
        back = calls.apply(echo, data)
        assert len(back) == MEGABYTE and back[0] + back[-1] == 2 * FILLING


def map_numbers(calls, count):
    results = calls.map_all(square, range(count))
    assert len(results) == count and all(each == i * i for i, each in enumerate(results))


def imap_numbers(calls, count):
    last = -1
    for last, each in enumerate(calls.imap(square, range(count))):
        assert each == last * last
    assert last == count - 1


def speed_up(calls, spec):
    seeds = range(max(spec["count"], 2 * spec["workers"]))
    lists = [(seed,) for seed in seeds]
    calls.all(work, lists)
    start = time.perf_counter()
    alone = list(map(work, seeds))
    middle = time.perf_counter()
    together = calls.all(work, lists)
    end = time.perf_counter()
    assert together == alone
    return (middle - start) / (end - middle)


def measure(spec, calls, before):
    what = spec["what"]
    if what == "cold":
        assert calls.apply(noop) == 1
        return (time.perf_counter() - BEGAN) * 1e3
    if what == "burst":
        return timed(spec, lambda count: burst(calls, count))
    if what == "round-trip":
        return 1e6 / timed(spec, lambda count: round_trips(calls, count))
    if what == "first-trips":
        round_trips(calls, 1)
        before = time.perf_counter()
        round_trips(calls, spec["count"])
        return (time.perf_counter() - before) * 1e6 / spec["count"]
    if what == "large":
        return MEGABYTE * timed(spec, lambda count: large(calls, count))
    if what == "map":
        return timed(spec, lambda count: map_numbers(calls, count))
    if what == "imap":
        return timed(spec, lambda count: imap_numbers(calls, count))
    if what == "speed-up":
        return speed_up(calls, spec)
    calls.all(work, [(seed,) for seed in range(spec["count"] * spec["workers"])])
    return (share_of_tree() - before) / spec["workers"]


def main():
    spec = json.loads(sys.argv[1])
    workers = spec["workers"]
    # As fast as Python gets; spawn, which is what ours does, would be slower to start and the same otherwise.
    context = multiprocessing.get_context("fork")
    before = share_of_tree() if spec["what"] == "memory" else 0
    if spec["pool"] == "python":
        with context.Pool(workers) as pool:
            calls = Calls(
                lambda function, *args: pool.apply_async(function, args),
                lambda result: result.get(),
                pool.map,
                pool.imap,
            )
            print(measure(spec, calls, before))
    else:
        with ProcessPoolExecutor(workers, mp_context=context) as pool:

            def map_all(function, items):
                return list(pool.map(function, items, chunksize=-(-len(items) // (4 * workers))))

            calls = Calls(pool.submit, lambda future: future.result(), map_all, pool.map)
            print(measure(spec, calls, before))


main()
