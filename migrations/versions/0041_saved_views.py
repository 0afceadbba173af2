"""Saved views: filters of the list of runs, by name.

Revision ID: 0041
Revises: 0040

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0041'
down_revision = '0040'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('saved_views',
    sa.Column('id', sa.Uuid(as_uuid=False), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('filters', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('saved_views_by_name', 'saved_views', ['user_id', 'name'], unique=True)
    op.create_index('saved_views_by_tenant', 'saved_views', ['tenant', 'created_at', 'id'],
        postgresql_where=sa.text('tenant IS NOT NULL'))


def downgrade():
    op.drop_table('saved_views')
