"""When an account was closed: what it has asked for is not done any more.

Revision ID: 0047
Revises: 0044

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0047"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True), if_not_exists=True)


def downgrade():
    op.drop_column("users", "closed_at")
