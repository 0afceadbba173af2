"""Sign-outs by time, and a changed account's sessions ended.

Every web process reads the newest sign-outs every second. Access tokens carry the role they were made with,
so whoever changes an account, with whatever tool, ends what was signed in before.

Revision ID: 0002
Revises: 0001

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.create_index('sessions_revoked', ['revoked_at'], unique=False, postgresql_where=sa.text('revoked_at IS NOT NULL'))
    op.execute(
        """CREATE FUNCTION end_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
               UPDATE sessions SET revoked_at = now() WHERE user_id = NEW.id AND revoked_at IS NULL;
               RETURN NULL;
           END $$"""
    )
    op.execute(
        """CREATE TRIGGER account_changed AFTER UPDATE ON users FOR EACH ROW
           WHEN ((OLD.email, OLD.role, OLD.password_hash) IS DISTINCT FROM (NEW.email, NEW.role, NEW.password_hash))
           EXECUTE FUNCTION end_sessions()"""
    )


def downgrade():
    op.execute("DROP TRIGGER account_changed ON users")
    op.execute("DROP FUNCTION end_sessions()")
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.drop_index('sessions_revoked', postgresql_where=sa.text('revoked_at IS NOT NULL'))
