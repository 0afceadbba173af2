"""Sums of jobs: how the runs of an hour ended, how long they took, and how long their phases took.

Revision ID: 0045
Revises: 0044

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

NUMBERS = "succeeded", "failed", "revoked"
# The bucket of a duration, as app/tasks/durations.py reads it. A reporter may give any times.
BUCKET = "ceil(ln(least(greatest({seconds}, 0.001), 1e9)) / ln(1.04::float8))::int"
OF_RUN = BUCKET.format(seconds="extract(epoch FROM NEW.finished_at - NEW.started_at)::float8")
OF_PHASE = BUCKET.format(seconds="seconds")


def upgrade():
    op.create_table(
        "job_sums",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in NUMBERS),
        sa.Column("run_buckets", sa.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.Column("run_numbers", sa.ARRAY(sa.BigInteger()), server_default="{}", nullable=False),
        sa.Column("phases", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("positions", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("buckets", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("numbers", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("of_day", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, where in (
        ("by_user", ["user_id", "job_type", "hour"], None),
        ("by_tenant", ["tenant", "job_type", "hour"], "tenant IS NOT NULL"),
        ("by_type", ["job_type", "hour"], None),
        ("new", ["user_id", "job_type", "hour"], "is_new"),
        ("hours", ["hour"], "NOT is_new AND NOT of_day"),
    ):
        op.create_index(
            f"job_sums_{name}", "job_sums", columns, postgresql_where=where and sa.text(where)
        )
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
    op.drop_table("job_sums")
