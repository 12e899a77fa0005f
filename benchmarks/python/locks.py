"""Times a free lock of Python's as src/programs/lock.ts says: python3 locks.py SPEC."""

import json
import multiprocessing
import sys
import time


def block(lock, count):
    inside = 0
    for _ in range(count):
        with lock:
            inside += 1
    return inside


def calls(lock, count):
    inside = 0
    for _ in range(count):
        lock.acquire()
        inside += 1
        lock.release()
    return inside


def bound(lock, count):
    acquire, release = lock.acquire, lock.release
    inside = 0
    for _ in range(count):
        acquire()
        inside += 1
        release()
    return inside


def main():
    spec = json.loads(sys.argv[1])
    run = {"block": block, "calls": calls, "bound": bound}[spec["form"]]
    lock, count = multiprocessing.Lock(), spec["count"]
    run(lock, -(-count // 5))
    before = time.process_time()
    inside = run(lock, count)
    seconds = time.process_time() - before
    assert inside == count and lock.acquire(block=False)
    print(seconds * 1e9 / count)


main()
