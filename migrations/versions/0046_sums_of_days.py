"""Sums of ended runs by days, once they are old; indexes of lists of all tasks, and of phases with errors.

Revision ID: 0046
Revises: 0045

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

SUMS = "run_sums", "error_sums"
INDEXES = (
    *((f"{table}_hours", table, ["hour"], "NOT is_new AND NOT of_day") for table in SUMS),
    ("tasks_of_all", "tasks", ["created_at", "id"], "stream_id > 0"),
    ("tasks_waiting", "tasks", ["user_id"], "status = 'WAITING'"),
    ("phases_with_errors", "phases", ["task_id"], "error_count > 0"),
)


def upgrade():
    # Beat sums up the days that are old already.
    for table in SUMS:
        of_day = sa.Column("of_day", sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column(table, of_day, if_not_exists=True)
    # Runs go on meanwhile: indexes of a large table take a while. One that an interrupted upgrade left is not valid.
    with op.get_context().autocommit_block():
        for name, table, columns, where in INDEXES:
            op.drop_index(name, table_name=table, if_exists=True)
            op.create_index(
                name, table, columns, postgresql_where=sa.text(where), postgresql_concurrently=True
            )
        op.drop_index("tasks_by_time", table_name="tasks", if_exists=True, postgresql_concurrently=True)


def downgrade():
    op.create_index("tasks_by_time", "tasks", ["created_at", "id"])
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table_name=table)
    for table in SUMS:
        op.drop_column(table, "of_day")
