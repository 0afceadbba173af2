#!/bin/sh
# Runs once, when the container creates its data. The application's role owns its database and is not a superuser. The
# superuser loses its password and can sign in within the container only: docker compose exec postgres psql -U postgres
set -eu
psql -v ON_ERROR_STOP=1 -U postgres -v password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE taskroom LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE taskroom OWNER taskroom;
ALTER ROLE postgres PASSWORD NULL;
SQL
