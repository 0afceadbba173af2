"""How many tasks have which status, kept as it changes.

Revision ID: 0013
Revises: 0012

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('task_counts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('tenant', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('task_counts', schema=None) as batch_op:
        batch_op.create_index('task_counts_by_user', ['user_id'], unique=False)
        batch_op.create_index('task_counts_by_tenant', ['tenant'], unique=False, postgresql_where=sa.text('tenant IS NOT NULL'))

    # Rows are added and never changed: who changes a task waits for nobody else who does. By a trigger, so that a
    # process of the version before counts too.
    op.execute("""
        CREATE FUNCTION count_task() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                INSERT INTO task_counts (user_id, tenant, status, number)
                VALUES (OLD.user_id, OLD.tenant, OLD.status, -1), (NEW.user_id, NEW.tenant, NEW.status, 1);
            ELSE
                INSERT INTO task_counts (user_id, tenant, status, number)
                VALUES (NEW.user_id, NEW.tenant, NEW.status, 1);
            END IF;
            RETURN NULL;
        END $$""")
    op.execute("CREATE TRIGGER task_made AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION count_task()")
    op.execute("""
        CREATE TRIGGER task_changed AFTER UPDATE OF status, user_id, tenant ON tasks FOR EACH ROW
        WHEN ((OLD.status, OLD.user_id, OLD.tenant) IS DISTINCT FROM (NEW.status, NEW.user_id, NEW.tenant))
        EXECUTE FUNCTION count_task()""")
    # Making a trigger locks the table against changes until the end of this transaction: nothing is counted twice.
    op.execute("""
        INSERT INTO task_counts (user_id, tenant, status, number)
        SELECT user_id, tenant, status, count(*) FROM tasks GROUP BY user_id, tenant, status""")


def downgrade():
    op.execute("DROP TRIGGER task_changed ON tasks")
    op.execute("DROP TRIGGER task_made ON tasks")
    op.execute("DROP FUNCTION count_task()")
    op.drop_table('task_counts')
