"""Shares: tokens that read one run and its children; a ticket may be one's too.

Revision ID: 0026
Revises: 0025

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('shares',
    sa.Column('id', sa.Uuid(as_uuid=False), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('task_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('key_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['key_id'], ['api_keys.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('shares_by_hash', 'shares', ['hash'], unique=True)
    op.create_index('shares_by_task', 'shares', ['task_id', 'created_at', 'id'], unique=False)
    op.create_index('shares_by_user', 'shares', ['user_id'], unique=False)
    op.create_index('ix_shares_key_id', 'shares', ['key_id'], unique=False)
    op.add_column('tickets', sa.Column('share_id', sa.Uuid(as_uuid=False), nullable=True))
    op.create_foreign_key('tickets_share_id_fkey', 'tickets', 'shares', ['share_id'], ['id'], ondelete='CASCADE')
    op.drop_constraint('tickets_of_a_session_or_key', 'tickets')
    op.create_check_constraint('tickets_of_one', 'tickets', 'num_nonnulls(session_id, key_id, share_id) = 1')


def downgrade():
    op.execute("DELETE FROM tickets WHERE share_id IS NOT NULL")
    op.drop_constraint('tickets_of_one', 'tickets')
    op.create_check_constraint('tickets_of_a_session_or_key', 'tickets', 'num_nonnulls(session_id, key_id) = 1')
    op.drop_column('tickets', 'share_id')
    op.drop_table('shares')
