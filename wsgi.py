"""Serves Taskroom: ``python wsgi.py``. Eventlet patches the standard library before any other import."""

from app import green

green.patch()

import logging  # noqa: E402

from app import create_app  # noqa: E402
from app.config import Config  # noqa: E402
from app.errors import ConfigurationError, causes  # noqa: E402
from app.errors.causes import Cause  # noqa: E402
from app.green.arrivals import PER_ADDRESS, Arrivals  # noqa: E402
from app.green.listener import raise_file_limit  # noqa: E402
from app.green.server import serve  # noqa: E402
from app.green.unsent import Unsent  # noqa: E402
from app.http.rate_limits import address_key  # noqa: E402
from app.observability import gc_tuning  # noqa: E402
from app.observability.log_format import configure_logging  # noqa: E402
from app.services import Services  # noqa: E402

logger = logging.getLogger("taskroom.server")


def main() -> None:
    try:
        config = Config.from_env()
        configure_logging(config.log_json)
        app = create_app(config)
        files = raise_file_limit()  # each viewer needs an open file
        if files < config.max_viewers:
            logger.warning("%d open files are allowed, fewer than MAX_VIEWERS=%d", files, config.max_viewers)
        parts: Services = app.extensions["taskroom"]
        gc_tuning.freeze()
        with app.app_context():
            parts.start()
    except Exception as error:
        if not isinstance(error, ConfigurationError) and causes.of(error) is Cause.BUG:
            raise
        raise SystemExit(f"taskroom: {causes.first_line(error)}") from None
    serve(
        *(app, config.host, config.port, config.drain_seconds, parts.stop),
        stalled_seconds=config.stalled_seconds,
        # Behind a proxy all connections have its address, and the proxy itself waits for slow senders.
        arrivals=Arrivals(0 if config.trusted_proxies else PER_ADDRESS, address_key),
        unsent=parts[Unsent],
    )


if __name__ == "__main__":
    main()
