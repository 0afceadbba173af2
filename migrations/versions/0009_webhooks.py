"""When a tenant's trial ends.

Revision ID: 0009
Revises: 0007

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0009'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('tenants',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('trial_ends_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('name')
    )


def downgrade():
    op.drop_table('tenants')
