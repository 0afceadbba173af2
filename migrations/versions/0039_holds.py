"""Paused queues and drained workers; since when a worker runs, and the attempts that were lost with it.

Revision ID: 0039
Revises: 0038

"""
from alembic import op
import sqlalchemy as sa

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

UUID = sa.Uuid(as_uuid=False)
TIME = sa.TIMESTAMP(timezone=True)
NOW = sa.text('now()')


def upgrade():
    op.create_table('holds',
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('user_id', UUID, nullable=True),
    sa.Column('held_by', sa.Text(), nullable=False),
    sa.Column('since', TIME, server_default=NOW, nullable=False),
    sa.Column('seen_at', TIME, server_default=NOW, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('kind', 'name')
    )
    op.create_table('lost_attempts',
    sa.Column('task_id', UUID, nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('worker_id', UUID, nullable=False),
    sa.Column('lost_at', TIME, server_default=NOW, nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('task_id', 'attempt')
    )
    op.create_index('lost_attempts_by_worker', 'lost_attempts', ['worker_id', 'lost_at'])
    op.add_column('worker_reports', sa.Column('since', TIME, server_default=NOW, nullable=False))


def downgrade():
    op.drop_column('worker_reports', 'since')
    op.drop_table('lost_attempts')
    op.drop_table('holds')
