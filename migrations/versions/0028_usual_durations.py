"""A run knows how long earlier runs took, and when its present attempt began; a phase knows when it was half done; earlier runs are found by tenant and user.

Revision ID: 0028
Revises: 0027

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None

SUCCEEDED = sa.text("status = 'SUCCESS'")


def upgrade():
    op.add_column('tasks', sa.Column('usual', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('tasks', sa.Column('attempt_started_at', sa.TIMESTAMP(timezone=True), nullable=True))
    op.add_column('phases', sa.Column('half_seconds', sa.Double(), nullable=True))
    op.drop_index('tasks_succeeded', table_name='tasks', postgresql_where=SUCCEEDED)
    op.create_index('tasks_succeeded', 'tasks', ['job_type', sa.text("coalesce(tenant, '')"), 'finished_at'], unique=False, postgresql_where=SUCCEEDED)
    op.create_index('tasks_succeeded_by_user', 'tasks', ['user_id', 'job_type', 'finished_at'], unique=False, postgresql_where=SUCCEEDED)


def downgrade():
    op.drop_index('tasks_succeeded_by_user', table_name='tasks', postgresql_where=SUCCEEDED)
    op.drop_index('tasks_succeeded', table_name='tasks', postgresql_where=SUCCEEDED)
    op.create_index('tasks_succeeded', 'tasks', ['job_type', 'finished_at'], unique=False, postgresql_where=SUCCEEDED)
    op.drop_column('phases', 'half_seconds')
    op.drop_column('tasks', 'attempt_started_at')
    op.drop_column('tasks', 'usual')
