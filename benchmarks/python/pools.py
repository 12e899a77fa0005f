"""Measures Python's pools as src/pool/spec.ts says: python3 pools.py SPEC."""

import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

MEGABYTE = 2**20
BEGAN = time.perf_counter()


def noop():
    return 1


def square(n):
    return n * n


def echo(data):
    return data


def timed(spec, run):
    run(spec["count"])
    before = time.perf_counter()
    run(spec["count"])
    return spec["count"] / (time.perf_counter() - before)


def measure(spec, apply, submit, wait, map_all, imap):
    what = spec["what"]
    if what == "cold":
        apply(noop)
        return (time.perf_counter() - BEGAN) * 1e3
    if what == "burst":
        return timed(spec, lambda count: wait([submit(noop) for _ in range(count)]))
    if what == "round-trip":
        return 1e6 / timed(spec, lambda count: [apply(noop) for _ in range(count)])
    if what == "large":
        data = bytes(MEGABYTE)
        return MEGABYTE * timed(spec, lambda count: [apply(echo, data) for _ in range(count)])
    items = list(range(spec["count"]))
    return timed(spec, lambda count: (map_all if what == "map" else imap)(square, items))


def main():
    spec = json.loads(sys.argv[1])
    # As fast as Python gets; spawn, which is what ours does, would be slower to start and the same otherwise.
    context = multiprocessing.get_context("fork")
    if spec["pool"] == "python":
        with context.Pool(spec["workers"]) as pool:
            figure = measure(
                spec,
                lambda f, *args: pool.apply(f, args),
                lambda f: pool.apply_async(f),
                lambda results: [result.get() for result in results],
                pool.map,
                lambda f, items: sum(1 for _ in pool.imap(f, items)),
            )
    else:
        with ProcessPoolExecutor(spec["workers"], mp_context=context) as pool:
            figure = measure(
                spec,
                lambda f, *args: pool.submit(f, *args).result(),
                pool.submit,
                lambda futures: [future.result() for future in futures],
                lambda f, items: list(
                    pool.map(f, items, chunksize=-(-len(items) // (4 * spec["workers"])))
                ),
                None,
            )
    print(figure)


main()
