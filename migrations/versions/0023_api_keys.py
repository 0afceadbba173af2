"""API keys, by which programs call the API as their owner does; a ticket may be one's too.

A key belongs to its owner's tenant, and a global admin may name any for it: when the owner changes so that this is
no longer true, the key is revoked in the same transaction.

Revision ID: 0023
Revises: 0022

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

END_SESSIONS = """CREATE OR REPLACE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE sessions SET revoked_at = now() WHERE user_id = NEW.id AND revoked_at IS NULL;{more}
        RETURN NULL;
    END $$"""
REVOKE_KEYS = """
        UPDATE api_keys SET revoked_at = now() WHERE user_id = NEW.id AND revoked_at IS NULL
            AND (NEW.tenant IS DISTINCT FROM OLD.tenant
                 OR (tenant IS DISTINCT FROM NEW.tenant AND NEW.role <> 'global_admin'));"""


def upgrade():
    op.create_table('api_keys',
    sa.Column('id', sa.Uuid(as_uuid=False), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('scopes', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=True),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('api_keys_by_hash', 'api_keys', ['hash'], unique=True)
    op.create_index('api_keys_by_user', 'api_keys', ['user_id', 'created_at', 'id'], unique=False, postgresql_where=sa.text('revoked_at IS NULL'))
    op.create_index('api_keys_by_tenant', 'api_keys', ['tenant', 'created_at', 'id'], unique=False, postgresql_where=sa.text('revoked_at IS NULL AND tenant IS NOT NULL'))
    op.alter_column('tickets', 'session_id', nullable=True)
    op.add_column('tickets', sa.Column('key_id', sa.Uuid(as_uuid=False), nullable=True))
    op.create_foreign_key('tickets_key_id_fkey', 'tickets', 'api_keys', ['key_id'], ['id'], ondelete='CASCADE')
    op.create_check_constraint('tickets_of_a_session_or_key', 'tickets', 'num_nonnulls(session_id, key_id) = 1')
    op.execute(END_SESSIONS.format(more=REVOKE_KEYS))


def downgrade():
    op.execute(END_SESSIONS.format(more=''))
    op.execute("DELETE FROM tickets WHERE session_id IS NULL")
    op.drop_constraint('tickets_of_a_session_or_key', 'tickets')
    op.drop_column('tickets', 'key_id')
    op.alter_column('tickets', 'session_id', nullable=False)
    op.drop_table('api_keys')
