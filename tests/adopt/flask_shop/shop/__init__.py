"""A shop: an application factory of Flask, as its documentation shows it, with Celery beside."""

from __future__ import annotations

import os

from celery import Celery, Task
from flask import Flask, jsonify

import taskroom


def celery_init_app(app: Flask) -> Celery:
    class FlaskTask(Task):
        def __call__(self, *args, **kwargs):
            with app.app_context():
                return self.run(*args, **kwargs)

    celery_app = Celery(app.name, task_cls=FlaskTask)
    celery_app.config_from_object(app.config["CELERY"])
    celery_app.set_default()
    app.extensions["celery"] = celery_app
    taskroom.instrument(celery_app)
    return celery_app


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(
        CELERY={
            "broker_url": os.environ["BROKER"],
            "result_backend": os.environ["BACKEND"],
            "task_ignore_result": True,
            "task_default_queue": os.environ["QUEUE"],
            "broker_connection_retry_on_startup": True,
        },
        SHOP_NAME="Corner shop",
    )
    celery_init_app(app)

    from shop import tasks

    @app.post("/orders/<int:number>")
    def order(number: int):
        sent = tasks.process_order.delay(number, card_token="4111-1111", items=["tea", "milk", "bread"])
        return jsonify({"task": sent.id}), 202

    @app.get("/")
    def home():
        return "open"

    return app
