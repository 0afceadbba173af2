"""sse-starlette on uvicorn with uvloop and httptools: a queue for each viewer, one Redis subscription."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio as redis
import uvicorn
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

rooms: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)


async def listen() -> None:
    pubsub = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True).pubsub()
    await pubsub.psubscribe("task:*")
    async for message in pubsub.listen():
        if message["type"] == "pmessage":
            for queue in rooms[message["channel"]]:
                queue.put_nowait(message["data"])


async def stream(request: Request) -> EventSourceResponse:
    room = rooms[f"task:{request.path_params['task_id']}"]

    async def events() -> AsyncIterator[dict[str, str]]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        room.add(queue)
        try:
            yield {"event": "connected", "data": "{}"}
            while True:
                yield {"event": "log", "data": await queue.get()}
        finally:
            room.discard(queue)

    return EventSourceResponse(events(), ping=15)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    listening = asyncio.create_task(listen())
    yield
    listening.cancel()


app = Starlette(routes=[Route("/tasks/{task_id}/stream", stream)], lifespan=lifespan)

if __name__ == "__main__":
    port = int(os.environ["PORT"])
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", log_level="warning")
