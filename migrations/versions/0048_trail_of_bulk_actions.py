"""The trail knows which entries are the deeds of one bulk action.

Revision ID: 0048
Revises: 0047

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("trail", sa.Column("bulk_id", sa.Uuid(as_uuid=False), nullable=True))
    op.add_column("trail", sa.Column("refused", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "trail_by_bulk", "trail", ["bulk_id", "at", "id"], postgresql_where=sa.text("bulk_id IS NOT NULL")
    )


def downgrade():
    op.drop_index("trail_by_bulk", table_name="trail")
    op.drop_column("trail", "refused")
    op.drop_column("trail", "bulk_id")
