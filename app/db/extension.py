"""Flask-SQLAlchemy: creates the engine of a web process, and gives Flask-Migrate the tables."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import configure_mappers

from app.models import Base

db = SQLAlchemy(metadata=Base.metadata)
configure_mappers()  # at the import: otherwise the first request does it, and all others wait
