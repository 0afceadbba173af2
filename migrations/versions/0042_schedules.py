"""What beats have reported of their schedules.

Revision ID: 0042
Revises: 0041

"""
from alembic import op
import sqlalchemy as sa

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None

UUID = sa.Uuid(as_uuid=False)
TIME = sa.TIMESTAMP(timezone=True)


def upgrade():
    op.create_table('schedule_reports',
    sa.Column('id', UUID, nullable=False),
    sa.Column('user_id', UUID, nullable=True),
    sa.Column('tenant', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('job_type', sa.Text(), nullable=False),
    sa.Column('schedule', sa.Text(), nullable=False),
    sa.Column('last_run_at', TIME, nullable=True),
    sa.Column('last_task_id', UUID, nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('next_run_at', TIME, nullable=True),
    sa.Column('ended_at', TIME, nullable=True),
    sa.Column('end_error', sa.Text(), nullable=True),
    sa.Column('beat_seconds', sa.Float(), server_default=sa.text('10'), nullable=False),
    sa.Column('seen_at', TIME, server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('schedule_reports_by_name', 'schedule_reports', ['name', 'id'])


def downgrade():
    op.drop_table('schedule_reports')
