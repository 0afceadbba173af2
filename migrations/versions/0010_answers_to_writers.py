"""What a writer's last batch was answered, for workers of other kinds.

Revision ID: 0010
Revises: 0009

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade():
    op.add_column('writers', sa.Column('answer', sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    op.drop_column('writers', 'answer')
