"""What waits in the queues of those who report: an index of it, what a worker holds, and who reports.

Revision ID: 0044
Revises: 0043

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

UUID = sa.Uuid(as_uuid=False)
REPORTED = ("worker_reports", "queue_reports", "schedule_reports")


def upgrade():
    # Runs go on meanwhile: the index of a large table takes a while. One that an interrupted upgrade left is not valid.
    with op.get_context().autocommit_block():
        op.drop_index("tasks_waiting_in_queue", table_name="tasks", if_exists=True)
        op.create_index(
            "tasks_waiting_in_queue",
            "tasks",
            ["queue", sa.text("coalesce(tenant, user_id::text)"), "created_at"],
            postgresql_where=sa.text("observed AND status = 'PENDING'"),
            postgresql_concurrently=True,
        )
    for table in REPORTED:
        op.add_column(table, sa.Column("reporter", UUID, nullable=True), if_not_exists=True)
    op.add_column(
        "worker_reports",
        sa.Column("waiting", sa.ARRAY(UUID), server_default="{}", nullable=False),
        if_not_exists=True,
    )


def downgrade():
    op.drop_column("worker_reports", "waiting")
    for table in REPORTED:
        op.drop_column(table, "reporter")
    op.drop_index("tasks_waiting_in_queue", table_name="tasks")
