import sys

from celery import shared_task
from celery_progress.backend import ProgressRecorder


@shared_task(bind=True)
def export(self, rows):
    """A progress bar of django-celery-progress, and prints of every kind."""
    recorder = ProgressRecorder(self)
    print("exporting", rows, "rows", end=" ")
    print("to", "report.csv")
    for n in range(rows):
        print(f"\rrow {n + 1}/{rows}", end="")
        recorder.set_progress(n + 1, rows, description=f"row {n + 1}")
    print()
    print("disk is nearly full", file=sys.stderr)
    return "report.csv"


@shared_task(bind=True)
def import_file(self, name):
    """States of its own, one after the other."""
    for n in range(2):
        self.update_state(state="DOWNLOADING", meta={"current": n + 1, "total": 2, "message": name})
    for n in range(4):
        self.update_state(state="INSERTING", meta={"current": n + 1, "total": 4, "message": f"row {n + 1}"})
    return {"rows": 4}


@shared_task(bind=True)
def stuck(self):
    """Fails half-way."""
    ProgressRecorder(self).set_progress(5, 10, description="half")
    raise RuntimeError("the disk is full")
