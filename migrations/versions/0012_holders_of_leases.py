"""Who holds a lease; which life of the broker was told of everything that waits.

Revision ID: 0012
Revises: 0011

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('leases', schema=None) as batch_op:
        batch_op.add_column(sa.Column('holder', sa.Text(), nullable=True))

    op.create_table('broker_lives',
    sa.Column('run_id', sa.Text(), nullable=False),
    sa.Column('told_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('run_id')
    )


def downgrade():
    op.drop_table('broker_lives')
    with op.batch_alter_table('leases', schema=None) as batch_op:
        batch_op.drop_column('holder')
