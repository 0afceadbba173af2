"""Streams of users, found without a look at all others; what was read all at once.

Revision ID: 0011
Revises: 0010

"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.create_index('streams_of_users', ['id'], unique=False, postgresql_where=sa.text("name LIKE 'user:%'"))

    op.create_table('read_marks',
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('read_to', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('read_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'read_to')
    )
    with op.batch_alter_table('read_marks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_read_marks_read_at'), ['read_at'], unique=False)

    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.create_index('notifications_read', ['user_id', 'sequence'], unique=False, postgresql_where=sa.text('read_at IS NOT NULL'))


def downgrade():
    # What was read all at once is read in each from here on: the older tables know no marks.
    op.execute("""
        UPDATE notifications SET read_at = (
            SELECT marks.read_at FROM read_marks AS marks
            WHERE marks.user_id = notifications.user_id AND read_to >= sequence ORDER BY read_to LIMIT 1)
        WHERE read_at IS NULL""")
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.drop_index('notifications_read', postgresql_where=sa.text('read_at IS NOT NULL'))

    op.drop_table('read_marks')
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.drop_index('streams_of_users', postgresql_where=sa.text("name LIKE 'user:%'"))
