"""A task knows the sections of its log, and a stream how many lines it has; streams that are there do not.

Revision ID: 0030
Revises: 0029

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('streams', sa.Column('lines', sa.BigInteger(), nullable=True))
    op.alter_column('streams', 'lines', server_default='0')
    op.create_table('log_sections',
    sa.Column('task_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('group_id', sa.Text(), nullable=True),
    sa.Column('first_sequence', sa.BigInteger(), nullable=False),
    sa.Column('last_sequence', sa.BigInteger(), nullable=True),
    sa.Column('started_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('ended_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('task_id', 'position')
    )


def downgrade():
    op.drop_table('log_sections')
    op.drop_column('streams', 'lines')
