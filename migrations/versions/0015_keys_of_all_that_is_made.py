"""An idempotency key may stand for what is no task; a task's unfinished retry is found at once.

Revision ID: 0015
Revises: 0014

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('idempotency_keys', schema=None) as batch_op:
        batch_op.alter_column('task_id', existing_type=sa.Uuid(as_uuid=False), nullable=True)
        batch_op.add_column(sa.Column('made', sa.Text(), nullable=True))

    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.create_index('tasks_unfinished_retries', ['retry_of'], unique=False, postgresql_where=sa.text('retry_of IS NOT NULL AND finished_at IS NULL'))


def downgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_unfinished_retries', postgresql_where=sa.text('retry_of IS NOT NULL AND finished_at IS NULL'))

    op.execute('DELETE FROM idempotency_keys WHERE task_id IS NULL')
    with op.batch_alter_table('idempotency_keys', schema=None) as batch_op:
        batch_op.drop_column('made')
        batch_op.alter_column('task_id', existing_type=sa.Uuid(as_uuid=False), nullable=False)
