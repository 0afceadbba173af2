"""A data team's pipelines: chains, groups and chords with stamps, and tasks that fail now and then."""

import os

from celery import Celery, chain, chord, group
from celery.canvas import StampingVisitor

import taskroom

app = Celery("pipelines", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    task_default_queue=os.environ["QUEUE"],
    broker_connection_retry_on_startup=True,
    result_extended=True,
    worker_prefetch_multiplier=1,
)
taskroom.instrument(app)


class TransientError(Exception):
    pass


class Tenant(StampingVisitor):
    def __init__(self, name):
        self.name = name

    def on_signature(self, sig, **headers):
        return {"tenant": self.name, "stamped_headers": ["tenant"]}


@app.task
def extract(day):
    return [day * 10 + n for n in range(3)]


@app.task(
    bind=True,
    autoretry_for=(Exception,),
    retry_kwargs={"max_retries": 3},
    retry_backoff=False,
    default_retry_delay=0,
)
def clean(self, rows):
    """Fails twice, then works."""
    if self.request.retries < 2:
        raise TransientError(f"try {self.request.retries}: the source is busy")
    return [row + 1 for row in rows]


@app.task
def square(number):
    return number * number


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def broken(_):
    raise ValueError("this pipeline is broken")


@app.task
def report(sum_of_all, day):
    print(f"day {day}:", sum_of_all)
    return {"day": day, "sum": sum_of_all}


def daily(day, tenant):
    """extract → clean → report, stamped."""
    work = chain(extract.s(day), clean.s(), total.s(), report.s(day))
    work.stamp(visitor=Tenant(tenant))
    return work.apply_async()


def squares(numbers):
    return chord(group(square.s(n) for n in numbers))(total.s())


def fan_out(numbers):
    return group(square.s(n) for n in numbers).apply_async()


def doomed(day):
    return chain(extract.s(day), broken.s(), total.s()).apply_async()
