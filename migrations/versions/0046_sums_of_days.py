"""Sums of ended runs by days, once they are old.

Revision ID: 0046
Revises: 0044

"""

from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None

TABLES = "run_sums", "error_sums"
HOURS = sa.text("NOT is_new AND NOT of_day")


def upgrade():
    # Beat sums up the days that are old already.
    for table in TABLES:
        of_day = sa.Column("of_day", sa.Boolean(), server_default=sa.text("false"), nullable=False)
        op.add_column(table, of_day, if_not_exists=True)
    # Runs end meanwhile. An index that an interrupted upgrade left is not valid.
    with op.get_context().autocommit_block():
        for table in TABLES:
            name = f"{table}_hours"
            op.drop_index(name, table_name=table, if_exists=True)
            op.create_index(name, table, ["hour"], postgresql_where=HOURS, postgresql_concurrently=True)


def downgrade():
    for table in TABLES:
        op.drop_index(f"{table}_hours", table_name=table)
        op.drop_column(table, "of_day")
