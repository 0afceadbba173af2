"""Sums of how long the phases of ended runs took.

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

# The bucket of a duration, as app/tasks/durations.py reads it. A reporter may give any number of seconds.
BUCKET = "ceil(ln(least(greatest(seconds, 0.001), 1e9)) / ln(1.04::float8))::int"


def upgrade():
    op.create_table(
        "phase_sums",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
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
            f"phase_sums_{name}", "phase_sums", columns, postgresql_where=where and sa.text(where)
        )
    # One row for each run, whatever number of phases it has: an end waits for no other one, and costs few writes.
    op.execute(f"""
        CREATE FUNCTION sum_phases() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO phase_sums (user_id, tenant, job_type, hour, phases, positions, buckets, numbers, is_new)
            SELECT NEW.user_id, NEW.tenant, NEW.job_type, date_trunc('hour', NEW.finished_at, 'UTC'),
                array_agg(left(phase_id, 200)), array_agg(position), array_agg({BUCKET}), array_agg(1::bigint), true
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


def downgrade():
    op.execute("DROP TRIGGER task_phases_summed ON tasks")
    op.execute("DROP FUNCTION sum_phases()")
    op.drop_table("phase_sums")
