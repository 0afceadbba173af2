"""Numbered refresh tokens, accounts of other issuers, and tenants.

An access token carries its account's tenant as it does the role, so a change of either ends what was signed in.

Revision ID: 0003
Revises: 0002

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade():
    op.execute("DROP TRIGGER account_changed ON users")
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tenant', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('issuer', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('subject', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('told_at', postgresql.TIMESTAMP(timezone=True), nullable=True))
        batch_op.alter_column('password_hash', existing_type=sa.Text(), nullable=True)
        # Another issuer may name any address, also one that signs in here with a password.
        batch_op.drop_constraint('users_email_key', type_='unique')
        batch_op.create_index('users_by_email', ['email'], unique=True, postgresql_where=sa.text('issuer IS NULL'))
        batch_op.create_unique_constraint('users_by_issuer', ['issuer', 'subject'])

    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('refreshes', sa.Integer(), server_default='0', nullable=False))
        batch_op.add_column(sa.Column('refreshed_at', postgresql.TIMESTAMP(timezone=True), nullable=True))

    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tenant', sa.Text(), nullable=True))
        batch_op.create_index('tasks_by_tenant', ['tenant', 'created_at', 'id'], unique=False, postgresql_where=sa.text('tenant IS NOT NULL'))

    op.execute(
        """CREATE TRIGGER account_changed AFTER UPDATE ON users FOR EACH ROW
           WHEN ((OLD.email, OLD.role, OLD.tenant, OLD.password_hash)
                 IS DISTINCT FROM (NEW.email, NEW.role, NEW.tenant, NEW.password_hash))
           EXECUTE FUNCTION end_sessions()"""
    )


def downgrade():
    """Accounts of other issuers keep their tasks, and a name and password that nobody can sign in with."""
    op.execute("DROP TRIGGER account_changed ON users")
    op.execute("UPDATE users SET email = id::text, password_hash = '' WHERE issuer IS NOT NULL")
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_by_tenant', postgresql_where=sa.text('tenant IS NOT NULL'))
        batch_op.drop_column('tenant')

    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.drop_column('refreshed_at')
        batch_op.drop_column('refreshes')

    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_constraint('users_by_issuer', type_='unique')
        batch_op.drop_index('users_by_email', postgresql_where=sa.text('issuer IS NULL'))
        batch_op.create_unique_constraint('users_email_key', ['email'])
        batch_op.alter_column('password_hash', existing_type=sa.Text(), nullable=False)
        batch_op.drop_column('told_at')
        batch_op.drop_column('subject')
        batch_op.drop_column('issuer')
        batch_op.drop_column('tenant')

    op.execute(
        """CREATE TRIGGER account_changed AFTER UPDATE ON users FOR EACH ROW
           WHEN ((OLD.email, OLD.role, OLD.password_hash) IS DISTINCT FROM (NEW.email, NEW.role, NEW.password_hash))
           EXECUTE FUNCTION end_sessions()"""
    )
