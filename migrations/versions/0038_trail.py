"""The trail: who did what.

Revision ID: 0038
Revises: 0037

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0038'
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('trail',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('user_name', sa.Text(), nullable=True),
    sa.Column('key_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('key_name', sa.Text(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('owner_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('tenant', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), server_default='ok', nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('number', sa.Integer(), server_default='1', nullable=False),
    sa.Column('last_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('trail_by_time', 'trail', ['at', 'id'])
    for name, column in (('tenant', 'tenant'), ('user', 'user_id'), ('owner', 'owner_id')):
        op.create_index(f'trail_by_{name}', 'trail', [column, 'at', 'id'],
            postgresql_where=sa.text(f'{column} IS NOT NULL'))


def downgrade():
    op.drop_table('trail')
