"""The Flask extensions, made here and bound in create_app."""

from flask_jwt_extended import JWTManager
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()
jwt = JWTManager()
# Failing open: with Redis away people can still sign in; the limiter logs the failure.
limiter = Limiter(get_remote_address, swallow_errors=True, headers_enabled=True)
