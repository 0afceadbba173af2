"""Composes one web process, from Postgres up to the transports: each group of parts is made of those before it. Threads
start later, with ``Services.start``."""

from __future__ import annotations

import re
from functools import partial

from flask import Flask
from flask_cors import CORS
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, bus, process_transactions
from app.auth import access_log, identity
from app.auth.ancestors import Ancestors
from app.auth.issuers import REMEMBERED_SECONDS, read_issuers
from app.auth.key_authenticator import KeyAuthenticator
from app.auth.key_watch import KeyWatch
from app.auth.owners import Owners
from app.auth.passwords import Passwords
from app.auth.refusals import Refusals
from app.auth.revocations import Revocations
from app.auth.sign_out import SignOut
from app.auth.tokens import Authenticator
from app.broker.client import Broker
from app.config import Config
from app.db.breaker import Breaker
from app.db.extension import db
from app.db.pool import engine_options, pooled, writing
from app.db.texts import CONVERTERS
from app.errors.causes import Cause
from app.green.unsent import Unsent
from app.http import dashboard, problems
from app.http.attempts import FAILURE_DIVISOR, WRONG_KEYS_PER_MINUTE, ConnectionAttempts, WrongKeys
from app.http.concurrency import Downloads, ReportConcurrency, UserConcurrency
from app.http.headers import with_bounded_headers
from app.http.json_provider import OrjsonProvider
from app.http.rate_limits import count_failure, limit_blueprint
from app.http.requests import with_request_id
from app.jobs.catalog import Catalog
from app.observability.gc_tuning import UNAUTHENTICATED_PER_VIEWER, CycleCollector
from app.projections import project
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.presence import Presence
from app.realtime.socketio import server
from app.realtime.sse_registry import SseRegistry
from app.realtime.unauthenticated import PER_ADDRESS, UnauthenticatedSockets
from app.services import Services
from app.stream.hub import Hub
from app.stream.publisher import Publisher
from app.stream.store import Store
from app.stream.transaction import Transactions
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
    app = _flask(config)
    database = _Database(app, config)
    events = _Events(config, database)
    queue = _Queue(config, database, events)
    sign_in = _SignIn(config, database, events)
    viewers = _Viewers(config, events)
    parts = Services(config, queue.transaction, database.read, database.write, events.store)
    parts.add(events.hub, events.publisher, queue.jobs, queue.dispatcher, queue.lease_reaper)
    parts.add(sign_in.revocations, sign_in.sign_out, sign_in.authenticator, sign_in.passwords)
    refusals = Refusals(database.write)
    parts.add(sign_in.keys, sign_in.key_watch, refusals)
    sign_in.key_watch.transports.append(viewers.streams)
    parts.add(viewers.limits, viewers.presence, viewers.streams, viewers.attempts, viewers.unauthenticated)
    parts.add(Owners(database.read), Ancestors(database.read), Unsent(), Downloads())
    parts.add(UserConcurrency(config.requests_per_user), ReportConcurrency(config.requests_per_user))
    parts.add(Lookups(0 if config.bench else config.daily_bytes))
    measures = WebMeasures(parts, engine=database.engine, breaker=database.breaker, writes=database.writes)
    measures.requests.register(app)
    parts.add(measures.metrics)
    app.extensions["taskroom"] = parts
    process_transactions.use_transactions(queue.transaction)
    bus.use(events.hub, events.store)

    api.init_app(app)
    dashboard.init_app(app, config.embed_origins)
    revocations, garbage = sign_in.revocations.thread, viewers.cycle_collector.thread
    keys = sign_in.key_watch.thread
    presence, reaper, poller = viewers.presence, queue.lease_reaper.thread, queue.poller.thread
    parts.starts += [measures.start, garbage.start, revocations.start, keys.start, events.hub.start]
    parts.starts += [refusals.thread.start, presence.thread.start, reaper.start, poller.start]
    # Another process takes over the queue; the viewers leave; then the sockets without viewers, added by their server.
    parts.stops += [poller.stop, reaper.stop, events.hub.stop, presence.stop]
    server.init_app(app, parts)
    parts.stops += [refusals.thread.stop, keys.stop, revocations.stop, garbage.stop, measures.stop]
    if config.trusted_proxies:
        # Only with a proxy: otherwise clients could set these headers. Last, so that it serves sockets too. nginx
        # overwrites the scheme. X-Forwarded-Host is not used: a proxy that does not know it passes the client's value.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.trusted_proxies, x_proto=1, x_host=0)  # type: ignore[method-assign]
    app.wsgi_app = with_request_id(with_bounded_headers(app.wsgi_app))  # type: ignore[method-assign,assignment]
    return app


def _flask(config: Config) -> Flask:
    """Makes the application with what every request passes, and no resource yet."""
    app = Flask(__name__, static_folder=None)
    app.url_map.converters.update(CONVERTERS)
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.body_limit,
        SQLALCHEMY_DATABASE_URI=config.sqlalchemy_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.pool_size),
        RATELIMIT_STORAGE_URI=f"limits+{config.redis_url}",
        RATELIMIT_ENABLED=not config.bench,
    )
    app.json = OrjsonProvider(app)
    access_log.init_app(app)
    limit_blueprint("auth", app)
    identity.init_app(app, config)
    problems.register(app)
    if config.cors_origins:
        # Escaped: the library takes a text with brackets, such as an IPv6 address, for a pattern.
        origins = [re.compile(re.escape(origin) + r"\Z") for origin in config.cors_origins]
        CORS(app, origins=origins, supports_credentials=True)
    return app


class _Database:
    """Postgres: the pool, and connections of it for single reads, for single writes and for transactions."""

    def __init__(self, app: Flask, config: Config) -> None:
        db.init_app(app)
        with app.app_context():
            self.engine = db.engine
        self.breaker, self.writes = Breaker("Postgres"), Breaker("Postgres", cause=Cause.READ_ONLY)
        self.read = pooled(self.engine, self.breaker, autocommit=True)
        self.write = writing(self.read, self.writes, self.engine.dispose)
        self.transaction = writing(pooled(self.engine, self.breaker), self.writes, self.engine.dispose)


class _Events:
    """Events after their commit: published on Redis, received by the hub, and sent to viewers."""

    def __init__(self, config: Config, database: _Database) -> None:
        self.store = Store(database.read, database.write)
        self.publisher = Publisher(config.redis_url)
        self.hub = Hub(self.store, config.redis_url, config.stalled_seconds)
        self.hub.states.source = partial(current_events, database.read)


class _Queue:
    """Tasks that wait and run: a transaction sends hints after its commit; the reaper and the poller repeat them."""

    def __init__(self, config: Config, database: _Database, events: _Events) -> None:
        publish = events.publisher.publish
        broker = Broker(config.redis_url, config.celery_queues)
        self.jobs = Catalog(database.read, config.celery_queues)
        self.dispatcher = dispatcher = Dispatcher(broker.send, self.jobs.queue_of, broker.length)
        self.transaction = Transactions(
            database.transaction, project, publish, lambda tx: dispatcher.send_hints(hints_of(tx))
        )
        cap = Cap.of(config.running_per_user, config.lease_round_seconds)
        self.lease_reaper = LeaseReaper(
            config.database_url,
            dispatcher,
            transactions=lambda connect, committed: Transactions(connect, project, publish, committed),
            broker_run_id=broker.run_id,
            may_retry=self.jobs.may_retry_lost,
            seconds=config.lease_round_seconds,
            fill=lambda connect: send_held(connect, dispatcher, cap, self.jobs.queue_of),
            report=lambda connect: report_own_queues(
                connect, config.celery_queues, self.jobs.queues, config.lease_round_seconds
            ),
        )
        self.poller = DeliveryPoller(database.read, broker.hint_deliveries)


class _SignIn:
    """Tokens, API keys, passwords, and what has ended of these: its viewers are closed, wherever the end was."""

    def __init__(self, config: Config, database: _Database, events: _Events) -> None:
        issuers = read_issuers(config.issuers, plain_http=config.embedded)
        lifetime = max(config.access_token_seconds, REMEMBERED_SECONDS if issuers else 0)
        self.revocations = Revocations(config.database_url, lifetime)
        self.sign_out = SignOut(self.revocations, events.hub, events.publisher)
        self.revocations.ended = self.sign_out.here
        self.authenticator = Authenticator(database.read, database.transaction, self.revocations, issuers)
        wrong_keys = partial(count_failure, "key", WRONG_KEYS_PER_MINUTE)
        guesses = WrongKeys((lambda key: 0.0) if config.bench else wrong_keys)
        self.keys = KeyAuthenticator(database.read, database.write, self.revocations, guesses)
        self.key_watch = KeyWatch(self.keys, self.sign_out)
        self.passwords = Passwords(config.passwords_at_once, config.passwords_waiting)
        # Sign-outs are the only messages on Redis that are no events. Some may be missed before a reconnection.
        events.hub.control_received = self.sign_out.here
        events.hub.reconnected = self.revocations.thread.wake


class _Viewers:
    """Who may join and how many, the connections of SSE, and what viewers leave behind. TASKROOM_BENCH sets no limits
    for users and addresses."""

    def __init__(self, config: Config, events: _Events) -> None:
        limited = not config.bench
        failures = config.connects_per_minute // FAILURE_DIVISOR
        self.limits = ConnectionLimits(config.streams_per_user if limited else None, config.max_viewers)
        self.unauthenticated = UnauthenticatedSockets(PER_ADDRESS if limited else None)
        self.attempts = ConnectionAttempts(
            config.connects_per_minute if limited else None,
            failed=partial(count_failure, "connect", failures) if limited else lambda key: 0.0,
        )
        self.presence = Presence(config.redis_url)
        events.hub.on_viewer = self.presence.viewer_changed
        self.streams = SseRegistry(events.hub, self.limits, self.presence, config.keepalive_seconds)
        self.cycle_collector = CycleCollector(present=lambda: self.limits.connections, left=self._left)

    def _left(self) -> int:
        return self.limits.closed + self.unauthenticated.left // UNAUTHENTICATED_PER_VIEWER
