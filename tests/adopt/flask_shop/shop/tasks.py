from __future__ import annotations

import logging

from celery import shared_task
from celery.utils.log import get_task_logger
from flask import current_app

logger = get_task_logger(__name__)
audit = logging.getLogger("shop.audit")


class OutOfStock(Exception):
    pass


@shared_task
def send_receipt(number: int) -> str:
    print("receipt", number, "sent by", current_app.config["SHOP_NAME"])
    return f"receipt-{number}"


@shared_task
def reserve(number: int, item: str) -> None:
    if item == "caviar":
        raise OutOfStock(f"no {item} for order {number}")
    audit.info("reserved %s for order %d", item, number)


@shared_task(bind=True, ignore_result=False)
def process_order(self, number: int, card_token: str, items: list[str]) -> dict:
    logger.info("order %d of %d items", number, len(items))
    for item in items:
        reserve.delay(number, item)
    send_receipt.apply_async((number,), countdown=1)
    return {"order": number, "items": len(items), "receipt_secret": "s3cret"}
