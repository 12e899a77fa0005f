"""Starts and joins a process for each line that is read, and prints how many milliseconds that took."""
import multiprocessing
import sys
import time


def nothing():
    pass


if __name__ == '__main__':
    context = multiprocessing.get_context(sys.argv[1])
    for line in sys.stdin:
        begin = time.perf_counter()
        process = context.Process(target=nothing)
        process.start()
        process.join()
        print(1000 * (time.perf_counter() - begin), flush=True)
