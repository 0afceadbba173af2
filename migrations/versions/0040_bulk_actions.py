"""Bulk actions: what somebody asked to do with many tasks, and what became of each.

Revision ID: 0040
Revises: 0039

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('bulk_runs',
    sa.Column('task_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('key_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('listing', sa.JSON(), nullable=True),
    sa.Column('more', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('task_id')
    )
    op.create_table('bulk_targets',
    sa.Column('bulk_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('task_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('about', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['bulk_id'], ['bulk_runs.task_id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('bulk_id', 'position')
    )


def downgrade():
    op.drop_table('bulk_targets')
    op.drop_table('bulk_runs')
