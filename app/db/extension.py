"""Flask-SQLAlchemy: makes a web process's engine of its configuration, and knows the tables for Flask-Migrate."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import configure_mappers

from app.models import Base

db = SQLAlchemy(metadata=Base.metadata)
configure_mappers()  # or the first request would do it, while everybody else's wait
