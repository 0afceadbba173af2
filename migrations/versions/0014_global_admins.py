"""An admin is one of its tenant; whoever was admin of all, without a tenant, is so by a role of its own.

Revision ID: 0014
Revises: 0013

"""
from alembic import op

# revision identifiers, used by Alembic.
revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade():
    # Roles of other issuers' accounts are the issuers' to say.
    op.execute("UPDATE users SET role = 'global_admin' WHERE role = 'admin' AND tenant IS NULL AND issuer IS NULL")


def downgrade():
    op.execute("UPDATE users SET role = 'admin' WHERE role = 'global_admin'")
