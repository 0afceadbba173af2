"""Sums of phases are sums of jobs: they also have how the runs of an hour ended, and how long they took.

Revision ID: 0049
Revises: 0048

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

INDEXES = "by_user", "by_tenant", "by_type", "new", "hours"
NUMBERS = "succeeded", "failed", "revoked"
# The bucket of a duration, as app/tasks/durations.py reads it. A reporter may give any times.
BUCKET = "ceil(ln(least(greatest({seconds}, 0.001), 1e9)) / ln(1.04::float8))::int"
OF_RUN = BUCKET.format(seconds="extract(epoch FROM NEW.finished_at - NEW.started_at)::float8")
OF_PHASE = BUCKET.format(seconds="seconds")


def upgrade():
    op.rename_table("phase_sums", "job_sums")
    op.execute("ALTER SEQUENCE phase_sums_id_seq RENAME TO job_sums_id_seq")
    op.execute("ALTER TABLE job_sums RENAME CONSTRAINT phase_sums_user_id_fkey TO job_sums_user_id_fkey")
    for name in ("pkey", *INDEXES):
        op.execute(f"ALTER INDEX phase_sums_{name} RENAME TO job_sums_{name}")
    for name in NUMBERS:
        op.add_column("job_sums", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    for name, kind in (("run_buckets", sa.Integer()), ("run_numbers", sa.BigInteger())):
        op.add_column("job_sums", sa.Column(name, sa.ARRAY(kind), server_default="{}", nullable=False))
    op.execute("DROP TRIGGER task_phases_summed ON tasks")
    op.execute("DROP FUNCTION sum_phases()")
    # One row for each run, whatever number of phases it has: an end waits for no other one, and costs few writes.
    op.execute(f"""
        CREATE FUNCTION sum_job() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE measured boolean := NEW.status = 'SUCCESS' AND NEW.started_at IS NOT NULL;
        BEGIN
            INSERT INTO job_sums (user_id, tenant, job_type, hour, {", ".join(NUMBERS)}, run_buckets, run_numbers, phases,
                positions, buckets, numbers, is_new)
            SELECT NEW.user_id, NEW.tenant, NEW.job_type, date_trunc('hour', NEW.finished_at, 'UTC'),
                (NEW.status = 'SUCCESS')::int, (NEW.status = 'FAILURE')::int, (NEW.status = 'REVOKED')::int,
                CASE WHEN measured THEN ARRAY[{OF_RUN}] ELSE '{{}}' END,
                CASE WHEN measured THEN ARRAY[1::bigint] ELSE '{{}}' END,
                coalesce(array_agg(left(phase_id, 200)), '{{}}'), coalesce(array_agg(position), '{{}}'),
                coalesce(array_agg({OF_PHASE}), '{{}}'), coalesce(array_agg(1::bigint), '{{}}'), true
            FROM (SELECT phase_id, position,
                    coalesce(duration_seconds, extract(epoch FROM updated_at - started_at)::float8) AS seconds
                FROM phases WHERE NEW.status = 'SUCCESS' AND task_id = NEW.id AND status = 'completed'
                    AND position < 50) AS ended
            WHERE seconds IS NOT NULL;
            RETURN NULL;
        END $$""")
    op.execute("""
        CREATE TRIGGER task_job_summed AFTER UPDATE OF finished_at ON tasks FOR EACH ROW
        WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION sum_job()""")
    # Making a trigger locks the table against changes until the end of this transaction: nothing is counted twice.
    op.execute("""
        INSERT INTO job_sums (user_id, tenant, job_type, hour, succeeded, failed, revoked, run_buckets, run_numbers, phases,
            positions, buckets, numbers, is_new)
        SELECT user_id, tenant, job_type, hour, coalesce(sum(number) FILTER (WHERE status = 'SUCCESS'), 0),
            coalesce(sum(number) FILTER (WHERE status = 'FAILURE'), 0),
            coalesce(sum(number) FILTER (WHERE status = 'REVOKED'), 0),
            coalesce(array_agg(bucket) FILTER (WHERE status = 'SUCCESS' AND bucket IS NOT NULL), '{}'),
            coalesce(array_agg(number) FILTER (WHERE status = 'SUCCESS' AND bucket IS NOT NULL), '{}'),
            '{}', '{}', '{}', '{}', false
        FROM run_sums GROUP BY user_id, tenant, job_type, hour ORDER BY hour""")


def downgrade():
    op.execute("DROP TRIGGER task_job_summed ON tasks")
    op.execute("DROP FUNCTION sum_job()")
    op.execute("DELETE FROM job_sums WHERE phases = '{}'")
    for name in (*NUMBERS, "run_buckets", "run_numbers"):
        op.drop_column("job_sums", name)
    for name in ("pkey", *INDEXES):
        op.execute(f"ALTER INDEX job_sums_{name} RENAME TO phase_sums_{name}")
    op.execute("ALTER TABLE job_sums RENAME CONSTRAINT job_sums_user_id_fkey TO phase_sums_user_id_fkey")
    op.execute("ALTER SEQUENCE job_sums_id_seq RENAME TO phase_sums_id_seq")
    op.rename_table("job_sums", "phase_sums")
    op.execute(f"""
        CREATE FUNCTION sum_phases() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO phase_sums (user_id, tenant, job_type, hour, phases, positions, buckets, numbers, is_new)
            SELECT NEW.user_id, NEW.tenant, NEW.job_type, date_trunc('hour', NEW.finished_at, 'UTC'),
                array_agg(left(phase_id, 200)), array_agg(position), array_agg({OF_PHASE}), array_agg(1::bigint), true
            FROM (SELECT phase_id, position,
                    coalesce(duration_seconds, extract(epoch FROM updated_at - started_at)::float8) AS seconds
                FROM phases WHERE task_id = NEW.id AND status = 'completed' AND position < 50) AS ended
            WHERE seconds IS NOT NULL HAVING count(*) > 0;
            RETURN NULL;
        END $$""")
    op.execute("""
        CREATE TRIGGER task_phases_summed AFTER UPDATE OF finished_at ON tasks FOR EACH ROW
        WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.status = 'SUCCESS')
        EXECUTE FUNCTION sum_phases()""")
