"""What users want to be told of runs, and one entry for each run.

Revision ID: 0043
Revises: 0042

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('notification_choices',
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('job_type', sa.Text(), nullable=False),
    sa.Column('choice', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'job_type')
    )
    op.add_column('notifications', sa.Column('run_id', sa.Uuid(as_uuid=False), nullable=True))
    op.create_index('notifications_of_run', 'notifications', ['user_id', 'run_id'],
        postgresql_where=sa.text('run_id IS NOT NULL'))


def downgrade():
    op.drop_index('notifications_of_run', 'notifications')
    op.drop_column('notifications', 'run_id')
    op.drop_table('notification_choices')
