"""A run has a plan, learnt from the newest of its type that succeeded, and says whether its progress is known.

Revision ID: 0017
Revises: 0016

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade():
    # Of older runs neither is known: both stay null, as their events fold.
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('progress_known', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('plan', sa.JSON(none_as_null=True), nullable=True))
        batch_op.create_index('tasks_succeeded', ['job_type', 'finished_at'], unique=False, postgresql_where=sa.text("status = 'SUCCESS'"))


def downgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_succeeded', postgresql_where=sa.text("status = 'SUCCESS'"))
        batch_op.drop_column('plan')
        batch_op.drop_column('progress_known')
