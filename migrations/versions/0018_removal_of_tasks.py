"""Ended tasks may be removed: found by their age, and counted no more.

Revision ID: 0018
Revises: 0017

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.create_index('tasks_ended', ['finished_at'], unique=False, postgresql_where=sa.text('finished_at IS NOT NULL AND parent_id IS NULL'))
        # Without it each removal would look through the whole table for retries of what goes.
        batch_op.create_index('tasks_by_retry', ['retry_of'], unique=False, postgresql_where=sa.text('retry_of IS NOT NULL'))

    op.execute("""
        CREATE FUNCTION uncount_task() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO task_counts (user_id, tenant, status, number)
            VALUES (OLD.user_id, OLD.tenant, OLD.status, -1);
            RETURN NULL;
        END $$""")
    op.execute("CREATE TRIGGER task_removed AFTER DELETE ON tasks FOR EACH ROW EXECUTE FUNCTION uncount_task()")


def downgrade():
    op.execute("DROP TRIGGER task_removed ON tasks")
    op.execute("DROP FUNCTION uncount_task()")
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_by_retry', postgresql_where=sa.text('retry_of IS NOT NULL'))
        batch_op.drop_index('tasks_ended', postgresql_where=sa.text('finished_at IS NOT NULL AND parent_id IS NULL'))
