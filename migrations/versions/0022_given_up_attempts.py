"""An attempt whose lease expired is refused at once, and not only when the next attempt is claimed.

Revision ID: 0022
Revises: 0021

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        'streams', sa.Column('attempt_given_up', sa.Boolean(), server_default=sa.text('false'), nullable=False)
    )


def downgrade():
    op.drop_column('streams', 'attempt_given_up')
