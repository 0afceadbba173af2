"""Streams that were pruned to their end are passed over.

Revision ID: 0004
Revises: 0003

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.add_column(sa.Column('swept', sa.Boolean(), server_default=sa.text('false'), nullable=False))
        batch_op.create_index('streams_unswept', ['id'], unique=False, postgresql_where=sa.text('NOT swept'))


def downgrade():
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.drop_index('streams_unswept', postgresql_where=sa.text('NOT swept'))
        batch_op.drop_column('swept')
