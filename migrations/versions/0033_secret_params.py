"""The parameters with secrets, apart from those that readers of a task see.

Revision ID: 0033
Revises: 0032

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('secret_params', sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    # Workers of the version before read ``params`` only.
    op.execute("UPDATE tasks SET params = secret_params WHERE secret_params IS NOT NULL")
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_column('secret_params')
