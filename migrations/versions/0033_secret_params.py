"""The parameters with secrets, apart from those that readers of a task see.

Revision ID: 0033
Revises: 0032

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None


GIVEN = "octet_length(NEW.params::text)"
STORED = f"{GIVEN} + coalesce(octet_length(NEW.secret_params::text), 0)"


def upgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('secret_params', sa.JSON(none_as_null=True), nullable=True))
    # A user pays for both.
    op.execute(count_stored_bytes(STORED))


def downgrade():
    # Workers of the version before read ``params`` only.
    op.execute("UPDATE tasks SET params = secret_params WHERE secret_params IS NOT NULL")
    op.execute(count_stored_bytes(GIVEN))
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_column('secret_params')


def count_stored_bytes(params):
    return f"""
        CREATE OR REPLACE FUNCTION count_stored_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            size bigint;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                size := 2000 + {params};
            ELSE
                SELECT bytes INTO size FROM streams WHERE id = NEW.stream_id;
            END IF;
            INSERT INTO stored_bytes (user_id, day, bytes)
            VALUES (NEW.user_id, (now() AT TIME ZONE 'UTC')::date, size);
            RETURN NULL;
        END $$"""
