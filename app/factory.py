"""Composes one web process."""

from __future__ import annotations

import re
from functools import partial

import redis
from flask import Flask
from flask_cors import CORS
from flask_migrate import Migrate
from redis.exceptions import RedisError
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, bus, green, process
from app.auth import access_log, identity
from app.auth.issuers import REMEMBERED_SECONDS, read_issuers
from app.auth.owners import Owners
from app.auth.passwords import Passwords
from app.auth.revocations import Revocations
from app.auth.sign_out import SignOut
from app.auth.tokens import Authenticator
from app.broker import SEND_SECONDS, BrokerDown
from app.broker.client import Broker
from app.config import Config
from app.db.breaker import Breaker
from app.db.extension import db
from app.db.pool import engine_options, pooled, writing
from app.errors.causes import Cause
from app.green.unsent import Unsent
from app.http import dashboard, problems
from app.http.attempts import FAILURE_DIVISOR, ConnectionAttempts
from app.http.concurrency import Downloads, ReportConcurrency, UserConcurrency
from app.http.json_provider import OrjsonProvider
from app.http.rate_limits import count_failure, limit_blueprint
from app.http.requests import with_request_id
from app.jobs.catalog import Catalog
from app.observability.gc_tuning import UNAUTHENTICATED_PER_VIEWER, CycleCollector
from app.projections import project
from app.realtime.joins import Joins
from app.realtime.presence import Presence
from app.realtime.socketio import server
from app.realtime.sse_registry import SseRegistry
from app.realtime.strangers import PER_ADDRESS, UnauthenticatedSockets
from app.services import Services
from app.stream.hub import Hub
from app.stream.publisher import Publisher
from app.stream.store import Store
from app.stream.transaction import Transaction, Transactions
from app.tasks.dispatch import Dispatcher, hints_of
from app.tasks.fair_claims import send_held
from app.tasks.lease_reaper import LeaseReaper
from app.tasks.observed.lookups import Lookups
from app.tasks.observed.own import report_own_queues
from app.tasks.slots import Cap
from app.tasks.snapshot import current_events
from app.web_metrics import WebMeasures
from app.webhooks.poller import DeliveryPoller


def create_app(config: Config | None = None) -> Flask:
    """Composes one web process. Raises ConfigurationError for a missing or invalid setting."""
    config = config or Config.from_env()
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.body_limit,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.pool_size),
        RATELIMIT_STORAGE_URI=f"limits+{config.redis_url}",
        RATELIMIT_ENABLED=not config.bench,
    )
    app.json = OrjsonProvider(app)
    db.init_app(app)
    Migrate(app, db, directory="migrations")
    access_log.init_app(app)
    limit_blueprint("auth", app)
    identity.init_app(app, config)
    problems.register(app)

    with app.app_context():
        engine = db.engine
    breaker, writes = Breaker("Postgres"), Breaker("Postgres", cause=Cause.READ_ONLY)
    read = pooled(engine, breaker, autocommit=True)
    store = Store(read)
    publisher = Publisher(config.redis_url)
    hub = Hub(store, config.redis_url, config.stalled_seconds)
    hub.presents.source = partial(current_events, read)
    jobs = Catalog(read, config.celery_queues)
    broker = Broker(config.redis_url, config.celery_queues)
    dispatcher = Dispatcher(broker.send, jobs.queue_of, broker.length)
    transaction = Transactions(
        writing(pooled(engine, breaker), writes, engine.dispose),
        project,
        publisher.publish,
        partial(_send_hints, dispatcher),
    )
    client = redis.Redis.from_url(config.redis_url, socket_timeout=1.0, socket_connect_timeout=1.0)
    cap = Cap.of(config.running_per_user, config.lease_round_seconds)
    lease_reaper = LeaseReaper(
        config.database_url,
        dispatcher,
        lambda connect, committed: Transactions(connect, project, publisher.publish, committed),
        lambda: _run_id(client),
        jobs.may_retry_lost,
        config.lease_round_seconds,
        fill=lambda connect: send_held(connect, dispatcher, cap, jobs.queue_of),
        report=lambda connect: report_own_queues(
            connect, config.celery_queues, jobs.queues, config.lease_round_seconds
        ),
    )
    issuers = read_issuers(config.issuers, plain_http=config.embedded)
    seconds = max(config.access_token_seconds, REMEMBERED_SECONDS if issuers else 0)
    revocations = Revocations(config.database_url, seconds, lambda session_id: sign_out.here(session_id))
    sign_out = SignOut(revocations, hub, publisher)
    joins = Joins(None if config.bench else config.streams_per_user, config.max_viewers)
    unauthenticated = UnauthenticatedSockets(None if config.bench else PER_ADDRESS)
    failures = config.connects_per_minute // FAILURE_DIVISOR
    attempts = ConnectionAttempts(
        None if config.bench else config.connects_per_minute,
        (lambda key: 0.0) if config.bench else partial(count_failure, failures),
    )
    presence = Presence(config.redis_url)
    streams = SseRegistry(hub, joins, presence, config.keepalive_seconds)
    measures = WebMeasures(
        engine, breaker, hub, joins, revocations, streams, publisher, lease_reaper, read, writes
    )
    measures.requests.register(app)
    poller = DeliveryPoller(read, broker.hint_deliveries)
    cycle_collector = CycleCollector(
        lambda: joins.viewers, lambda: joins.left + unauthenticated.left // UNAUTHENTICATED_PER_VIEWER
    )
    parts = Services(config, transaction, read, store)
    parts.add(hub, publisher, jobs, dispatcher, revocations, sign_out, joins, attempts, streams)
    parts.add(presence, Authenticator(read, revocations, issuers), Owners(read), Unsent(), Downloads())
    parts.add(
        unauthenticated, measures.metrics, Passwords(config.passwords_at_once, config.passwords_waiting)
    )
    parts.add(UserConcurrency(config.requests_per_user), ReportConcurrency(config.requests_per_user))
    parts.add(Lookups(0 if config.bench else config.daily_bytes))
    threads = (
        measures,
        cycle_collector.thread,
        revocations.thread,
        hub,
        presence.thread,
        lease_reaper.thread,
        poller.thread,
    )
    parts.starts += [part.start for part in threads]
    parts.stops += [part.stop for part in (poller.thread, lease_reaper.thread, hub, presence)]
    hub.on_control, hub.on_reconnected = sign_out.here, revocations.thread.wake
    hub.on_viewer = presence.viewer_changed
    process.use_transactions(transaction)
    bus.use(hub, store)
    app.extensions["taskroom"] = parts
    if config.cors_origins:
        # Escaped: the library takes a text with brackets, such as an IPv6 address, for a pattern.
        origins = [re.compile(re.escape(origin) + r"\Z") for origin in config.cors_origins]
        CORS(app, origins=origins, supports_credentials=True)
    api.init_app(app)
    dashboard.init_app(app)
    server.init_app(app, parts)
    parts.stops += [part.stop for part in (revocations.thread, cycle_collector.thread, measures)]
    if config.trusted_proxies:
        # Only with a proxy: otherwise clients could set these headers. Last, so that it serves sockets too. nginx
        # overwrites the scheme. X-Forwarded-Host is not used: a proxy that does not know it passes the client's value.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.trusted_proxies, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.wsgi_app = with_request_id(app.wsgi_app)  # type: ignore[method-assign,assignment]
    return app


def _send_hints(dispatcher: Dispatcher, tx: Transaction) -> None:
    """Sends hints until the broker fails once: each failure may take seconds. The lease reaper sends the others."""
    for hint in hints_of(tx):
        with green.limit(SEND_SECONDS, BrokerDown("no answer in time")):
            if not dispatcher.send_hint(*hint):
                return


def _run_id(client: redis.Redis) -> str | None:
    """Returns the id of this run of Redis, which changes with every restart; None while Redis is unavailable."""
    try:
        return str(client.info("server")["run_id"])
    except RedisError:
        return None
