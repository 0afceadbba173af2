"""The children of a task are a piece of an index, in the order of its tree.

Revision ID: 0029
Revises: 0028

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

WITH_PARENT = sa.text('parent_id IS NOT NULL')


def upgrade():
    op.create_index('tasks_in_tree', 'tasks', ['parent_id', sa.text('coalesce(step, 0)'), 'created_at', 'id'], unique=False, postgresql_where=WITH_PARENT)


def downgrade():
    op.drop_index('tasks_in_tree', table_name='tasks', postgresql_where=WITH_PARENT)
