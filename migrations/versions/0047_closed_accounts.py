"""When an account was closed: what it has asked for is not done any more. Saved views have filters.

Revision ID: 0047
Revises: 0046

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True), if_not_exists=True)
    # It would be the plain list by another name, and can be neither shown nor saved any more.
    op.execute("DELETE FROM saved_views WHERE filters::text = '{}'")


def downgrade():
    op.drop_column("users", "closed_at")
