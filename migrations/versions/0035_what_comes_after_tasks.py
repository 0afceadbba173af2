"""What comes after an observed task, as its reporter knows it before any of it is sent.

Revision ID: 0035
Revises: 0033

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0035'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('tasks', sa.Column('ahead', sa.JSON(), nullable=True))


def downgrade():
    op.drop_column('tasks', 'ahead')
