#!/bin/sh
# Once, when the container makes its data: the application's role owns its database and is no superuser. The superuser has no
# password any more, so it signs in from within the container alone: docker compose exec postgres psql -U postgres
set -eu
psql -v ON_ERROR_STOP=1 -U postgres -v password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE taskroom LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE taskroom OWNER taskroom;
ALTER ROLE postgres PASSWORD NULL;
SQL
