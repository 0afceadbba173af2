"""Tasks that are steps of others.

Revision ID: 0008
Revises: 0007

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('streams', sa.Column('ancestors', postgresql.ARRAY(sa.BigInteger()), nullable=True))
    op.add_column('tasks', sa.Column('step', sa.Integer(), nullable=True))
    op.drop_index('ix_tasks_parent_id', 'tasks')
    op.create_index('tasks_by_parent', 'tasks', ['parent_id', 'step'], unique=True, postgresql_where=sa.text('parent_id IS NOT NULL'))


def downgrade():
    op.drop_index('tasks_by_parent', 'tasks')
    op.create_index('ix_tasks_parent_id', 'tasks', ['parent_id'])
    op.drop_column('tasks', 'step')
    op.drop_column('streams', 'ancestors')
