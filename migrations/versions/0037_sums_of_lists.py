"""Lists of a team: what they count by hour, and the indexes of their filters.

Revision ID: 0037
Revises: 0036

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

SUMS = "list_sums (user_id, tenant, job_type, hour, status, is_step, number, is_new)"
OF = """{task}.user_id, {task}.tenant, {task}.job_type, date_trunc('hour', {task}.created_at, 'UTC'), {task}.status,
        {task}.parent_id IS NOT NULL"""
KEYS = "user_id, tenant, job_type, status, parent_id, created_at, finished_at"
OF_TENANTS = sa.text("tenant IS NOT NULL")
NO_STEPS = sa.text("parent_id IS NULL")
NO_STEPS_OF_TENANTS = sa.text("tenant IS NOT NULL AND parent_id IS NULL")
OPEN_OF_TENANTS = sa.text("tenant IS NOT NULL AND finished_at IS NULL")


def upgrade():
    # Runs go on meanwhile: indexes of a large table take a while. One that an interrupted upgrade left is not valid.
    with op.get_context().autocommit_block():
        for name, table, columns, where in (
            ("tasks_by_time", "tasks", ["created_at", "id"], None),
            ("tasks_by_user_top", "tasks", ["user_id", "created_at", "id"], NO_STEPS),
            ("tasks_by_tenant_top", "tasks", ["tenant", "created_at", "id"], NO_STEPS_OF_TENANTS),
            ("tasks_unfinished_of_tenant", "tasks", ["tenant", "created_at"], OPEN_OF_TENANTS),
            ("run_sums_by_type", "run_sums", ["job_type", "hour"], None),
            ("error_sums_by_type", "error_sums", ["job_type", "hour"], None),
        ):
            op.drop_index(name, table_name=table, if_exists=True)
            op.create_index(name, table, columns, postgresql_where=where, postgresql_concurrently=True)

    op.create_table(
        "list_sums",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=True),
        sa.Column("job_type", sa.Text(), nullable=False),
        sa.Column("hour", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_step", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("list_sums_by_user", "list_sums", ["user_id", "hour"])
    op.create_index("list_sums_by_tenant", "list_sums", ["tenant", "hour"], postgresql_where=OF_TENANTS)
    op.create_index("list_sums_by_hour", "list_sums", ["hour"])
    op.create_index(
        "list_sums_new", "list_sums", ["user_id", "job_type", "hour"], postgresql_where=sa.text("is_new")
    )

    # Rows are added and never changed, as those of task_counts: an end waits for no other one.
    old, new = OF.format(task="OLD"), OF.format(task="NEW")
    op.execute(f"""
        CREATE FUNCTION list_task() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP <> 'INSERT' AND OLD.finished_at IS NOT NULL THEN
                INSERT INTO {SUMS} VALUES ({old}, -1, true);
            END IF;
            IF TG_OP <> 'DELETE' AND NEW.finished_at IS NOT NULL THEN
                INSERT INTO {SUMS} VALUES ({new}, 1, true);
            END IF;
            RETURN NULL;
        END $$""")
    for name, event, condition in (
        ("task_made_ended", "INSERT", "NEW.finished_at IS NOT NULL"),
        (
            "task_ended",
            f"UPDATE OF {KEYS}",
            f"""(OLD.finished_at IS NOT NULL OR NEW.finished_at IS NOT NULL)
            AND (OLD.finished_at IS NULL, {old}) IS DISTINCT FROM (NEW.finished_at IS NULL, {new})""",
        ),
        ("task_ended_removed", "DELETE", "OLD.finished_at IS NOT NULL"),
    ):
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON tasks FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION list_task()"
        )
    # Making a trigger locks the table against changes until the end of this transaction: nothing is counted twice.
    op.execute(f"""
        INSERT INTO {SUMS} SELECT {OF.format(task="tasks")}, count(*), false FROM tasks
        WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6""")


def downgrade():
    for name in ("task_made_ended", "task_ended", "task_ended_removed"):
        op.execute(f"DROP TRIGGER {name} ON tasks")
    op.execute("DROP FUNCTION list_task()")
    op.drop_table("list_sums")
    op.drop_index("error_sums_by_type", table_name="error_sums")
    op.drop_index("run_sums_by_type", table_name="run_sums")
    for name in ("tasks_unfinished_of_tenant", "tasks_by_tenant_top", "tasks_by_user_top", "tasks_by_time"):
        op.drop_index(name, table_name="tasks")
