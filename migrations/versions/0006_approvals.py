"""Approvals that tasks wait for.

Revision ID: 0006
Revises: 0005

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('approvals',
    sa.Column('task_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('risk_level', sa.Text(), nullable=False),
    sa.Column('estimated_cost', sa.Double(), nullable=False),
    sa.Column('asked_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('approved', sa.Boolean(), nullable=True),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('task_id', 'key')
    )
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.create_index('approvals_open', ['asked_at'], unique=False, postgresql_where=sa.text('decided_at IS NULL'))


def downgrade():
    op.drop_table('approvals')
