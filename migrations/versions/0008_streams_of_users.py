"""Streams of users, found without a look at all others; what was read all at once.

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
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.create_index('streams_of_users', ['id'], unique=False, postgresql_where=sa.text("name LIKE 'user:%'"))


def downgrade():
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.drop_index('streams_of_users', postgresql_where=sa.text("name LIKE 'user:%'"))
