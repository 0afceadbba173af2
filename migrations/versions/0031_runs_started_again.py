"""A run that was started with the parameters of an earlier one names it; the runs that were started again from a run are found in order.

Revision ID: 0031
Revises: 0030

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

AGAIN = sa.text('again_of IS NOT NULL')
RETRY = sa.text('retry_of IS NOT NULL')


def upgrade():
    op.add_column('tasks', sa.Column('again_of', sa.Uuid(as_uuid=False), nullable=True))
    op.create_foreign_key('tasks_again_of_fkey', 'tasks', 'tasks', ['again_of'], ['id'], ondelete='SET NULL')
    op.create_index('tasks_by_again', 'tasks', ['again_of', 'created_at', 'id'], unique=False, postgresql_where=AGAIN)
    op.drop_index('tasks_by_retry', table_name='tasks', postgresql_where=RETRY)
    op.create_index('tasks_by_retry', 'tasks', ['retry_of', 'created_at', 'id'], unique=False, postgresql_where=RETRY)


def downgrade():
    op.drop_index('tasks_by_retry', table_name='tasks', postgresql_where=RETRY)
    op.create_index('tasks_by_retry', 'tasks', ['retry_of'], unique=False, postgresql_where=RETRY)
    op.drop_index('tasks_by_again', table_name='tasks', postgresql_where=AGAIN)
    op.drop_constraint('tasks_again_of_fkey', 'tasks', type_='foreignkey')
    op.drop_column('tasks', 'again_of')
