"""Measures Python's multiprocessing as programs/spec.ts says: python3 messages.py SPEC."""

import json
import math
import multiprocessing
import sys
import time


def maker(spec):
    if spec["payload"] == "integer":
        return lambda i: i
    if spec["payload"] == "object":
        return lambda i: {"id": i, "name": "a small message", "x": i / 2, "ok": True}
    data = b"\7" * spec["size"]
    return lambda i: data


def checker(spec):
    """What looks at the i-th message that has come."""
    size = spec["size"]

    def fail(i):
        raise ValueError(f"message {i} is not what was sent")

    def integer(message, i):
        if message != i:
            fail(i)

    def object(message, i):
        if message["id"] != i or message["x"] != i / 2 or not message["ok"]:
            fail(i)

    def bytes(message, i):
        if len(message) != size or message[0] + message[-1] != 14:
            fail(i)

    return {"integer": integer, "object": object, "bytes": bytes}[spec["payload"]]


def phases(spec):
    return [spec["warmup"], spec["count"]]


def report(spec, count, seconds):
    if spec["what"] == "round-trip":
        print(seconds * 1e6 / count)
    else:
        print(count * (spec["size"] if spec["what"] == "stream" else 1) / seconds)


def timed(spec, phase):
    for count in phases(spec):
        before = time.perf_counter()
        phase(count)
        seconds = time.perf_counter() - before
    report(spec, spec["count"], seconds)


def take_from_queue(spec, queue, done):
    check = checker(spec)
    for count in phases(spec):
        for i in range(count):
            check(queue.get(), i)
        done.put(count)


def take_from_pipe(spec, connection):
    receive = connection.recv_bytes if spec["payload"] == "bytes" else connection.recv
    if spec["style"] == "into":
        room = bytearray(spec["size"])
        receive = lambda: memoryview(room)[: connection.recv_bytes_into(room)]
    check = checker(spec)
    for count in phases(spec):
        for i in range(count):
            check(receive(), i)
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
        assert done.get() == count

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
        assert here.recv() == count

    timed(spec, phase)
    child.join()


def pipe_trip(spec, context):
    here, there = context.Pipe()
    child = context.Process(target=echo_by_pipe, args=(spec, there))
    child.start()
    make, check = maker(spec), checker(spec)

    def phase(count):
        for i in range(count):
            here.send(make(i))
            check(here.recv(), i)

    timed(spec, phase)
    child.join()


def queue_trip(spec, context):
    there, back = context.Queue(), context.Queue()
    child = context.Process(target=echo_by_queue, args=(spec, there, back))
    child.start()
    make, check = maker(spec), checker(spec)

    def phase(count):
        for i in range(count):
            there.put(make(i))
            check(back.get(), i)

    timed(spec, phase)
    child.join()


def shares(spec):
    return [math.ceil(count / spec["producers"]) for count in phases(spec)]


def produce(spec, queue, reports, go):
    for phase, count in enumerate(shares(spec)):
        if phase == 1:
            go.wait()
        for i in range(count):
            queue.put(i)
        reports.put((count, count * (count - 1) // 2))


def consume(queue, reports):
    count = total = 0
    while (i := queue.get()) is not None:
        count += 1
        total += i
    reports.put((count, total))


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
    put = [reports.get() for _ in producers]
    before = time.perf_counter()
    go.set()
    # A producer has written all when it has ended: only then may the end be told.
    put += [reports.get() for _ in producers]
    for producer in producers:
        producer.join()
    for _ in consumers:
        queue.put(None)
    taken = [reports.get() for _ in consumers]
    report(spec, spec["producers"] * shares(spec)[1], time.perf_counter() - before)
    for consumer in consumers:
        consumer.join()
    # How many there were, and their sum.
    assert [sum(column) for column in zip(*put)] == [sum(column) for column in zip(*taken)]


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
