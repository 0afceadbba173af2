"""What a stream holds in bytes, and what each user had stored on a day.

Revision ID: 0019
Revises: 0018

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bytes', sa.BigInteger(), server_default=sa.text('0'), nullable=False))

    op.create_table('stored_bytes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('stored_bytes', schema=None) as batch_op:
        batch_op.create_index('stored_bytes_by_user', ['user_id', 'day'], unique=False)

    # Twice in a task's life, and never for an event. A task's rows besides its texts are taken for 2,000 bytes. Rows are
    # added and never changed: who stores something waits for nobody else who does.
    op.execute("""
        CREATE FUNCTION count_stored_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            size bigint;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                size := 2000 + octet_length(NEW.params::text);
            ELSE
                SELECT bytes INTO size FROM streams WHERE id = NEW.stream_id;
            END IF;
            INSERT INTO stored_bytes (user_id, day, bytes)
            VALUES (NEW.user_id, (now() AT TIME ZONE 'UTC')::date, size);
            RETURN NULL;
        END $$""")
    op.execute("CREATE TRIGGER task_stored AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION count_stored_bytes()")
    op.execute("""
        CREATE TRIGGER task_ended_stored AFTER UPDATE OF finished_at ON tasks FOR EACH ROW
        WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION count_stored_bytes()""")


def downgrade():
    op.execute("DROP TRIGGER task_ended_stored ON tasks")
    op.execute("DROP TRIGGER task_stored ON tasks")
    op.execute("DROP FUNCTION count_stored_bytes()")
    op.drop_table('stored_bytes')
    with op.batch_alter_table('streams', schema=None) as batch_op:
        batch_op.drop_column('bytes')
