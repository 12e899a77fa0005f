"""Measures Python's multiprocessing as programs/spec.ts says: python3 messages.py SPEC."""

import json
import math
import multiprocessing
import sys
import time

CROWD_WARMUP = 5_000


def maker(spec):
    if spec["payload"] == "integer":
        return lambda i: i
    if spec["payload"] == "object":
        return lambda i: {"id": i, "name": "a small message", "x": i / 2, "ok": True}
    data = b"\7" * spec["size"]
    return lambda i: data


def phases(spec):
    return [math.ceil(spec["count"] / 5), spec["count"]]


def report(spec, seconds):
    count = spec["count"]
    if spec["what"] == "round-trip":
        print(seconds * 1e6 / count)
    else:
        print(count * (spec["size"] if spec["what"] == "stream" else 1) / seconds)


def timed(spec, phase):
    for count in phases(spec):
        before = time.perf_counter()
        phase(count)
        seconds = time.perf_counter() - before
    report(spec, seconds)


def take_from_queue(spec, queue, done):
    for count in phases(spec):
        for _ in range(count):
            queue.get()
        done.put(count)


def take_from_pipe(spec, connection):
    receive = connection.recv_bytes if spec["payload"] == "bytes" else connection.recv
    if spec["style"] == "into":
        room = bytearray(spec["size"])
        receive = lambda: connection.recv_bytes_into(room)
    for count in phases(spec):
        for _ in range(count):
            receive()
        connection.send(count)


def echo_by_pipe(spec, connection):
    for _ in range(sum(phases(spec))):
        connection.send(connection.recv())


def echo_by_queue(spec, there, back):
    for _ in range(sum(phases(spec))):
        back.put(there.get())


def into_queue(spec, context):
    queue, done = context.Queue(), context.Queue()
    child = context.Process(target=take_from_queue, args=(spec, queue, done))
    child.start()
    make = maker(spec)

    def phase(count):
        for i in range(count):
            queue.put(make(i))
        done.get()

    timed(spec, phase)
    child.join()


def into_pipe(spec, context):
    here, there = context.Pipe()
    child = context.Process(target=take_from_pipe, args=(spec, there))
    child.start()
    make = maker(spec)
    send = here.send_bytes if spec["payload"] == "bytes" else here.send

    def phase(count):
        for i in range(count):
            send(make(i))
        here.recv()

    timed(spec, phase)
    child.join()


def pipe_trip(spec, context):
    here, there = context.Pipe()
    child = context.Process(target=echo_by_pipe, args=(spec, there))
    child.start()
    make = maker(spec)

    def phase(count):
        for i in range(count):
            here.send(make(i))
            here.recv()

    timed(spec, phase)
    child.join()


def queue_trip(spec, context):
    there, back = context.Queue(), context.Queue()
    child = context.Process(target=echo_by_queue, args=(spec, there, back))
    child.start()
    make = maker(spec)

    def phase(count):
        for i in range(count):
            there.put(make(i))
            back.get()

    timed(spec, phase)
    child.join()


def produce(spec, queue, reports, go):
    make = maker(spec)
    for i in range(CROWD_WARMUP):
        queue.put(make(i))
    reports.put("warm")
    go.wait()
    for i in range(math.ceil(spec["count"] / spec["producers"])):
        queue.put(make(i))
    reports.put("done")


def consume(queue, reports):
    while queue.get() is not None:
        pass
    reports.put("done")


def crowd(spec, context):
    queue, reports, go = context.Queue(), context.Queue(), context.Event()
    producers = [
        context.Process(target=produce, args=(spec, queue, reports, go))
        for _ in range(spec["producers"])
    ]
    consumers = [
        context.Process(target=consume, args=(queue, reports)) for _ in range(spec["consumers"])
    ]
    for member in consumers + producers:
        member.start()
    for _ in producers:
        reports.get()
    before = time.perf_counter()
    go.set()
    # A producer has written all when it has ended: only then may the end be told.
    for _ in producers:
        reports.get()
    for producer in producers:
        producer.join()
    for _ in consumers:
        queue.put(None)
    for _ in consumers:
        reports.get()
    report(spec, time.perf_counter() - before)
    for consumer in consumers:
        consumer.join()


def main():
    spec = json.loads(sys.argv[1])
    context = multiprocessing.get_context("fork")
    if spec["what"] == "crowd":
        crowd(spec, context)
    elif spec["what"] == "round-trip":
        (pipe_trip if spec["via"] == "pipe" else queue_trip)(spec, context)
    else:
        (into_pipe if spec["via"] == "pipe" else into_queue)(spec, context)


main()
