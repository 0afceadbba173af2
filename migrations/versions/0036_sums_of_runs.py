"""Sums of ended runs by hour: how many, for how long, and which errors.

Revision ID: 0036
Revises: 0035

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

# The bucket of a duration, as app/tasks/durations.py reads it.
BUCKET = """ceil(ln(greatest(extract(epoch FROM {task}.finished_at - {task}.started_at), 0.001)) / ln(1.04))::int"""
HOUR = "date_trunc('hour', {task}.finished_at, 'UTC')"
KIND = "left({task}.error ->> 'type', 200)"
PLACE = "left(({task}.error -> 'source' ->> 'file') || ':' || ({task}.error -> 'source' ->> 'function'), 300)"
RUN = ("run_sums (user_id, tenant, job_type, hour, status, bucket, number, is_new)",
       f"{{task}}.user_id, {{task}}.tenant, {{task}}.job_type, {HOUR}, {{task}}.status, {BUCKET}")
ERROR = ("error_sums (user_id, tenant, job_type, hour, type, place, task_id, last_at, number, is_new)",
         f"{{task}}.user_id, {{task}}.tenant, {{task}}.job_type, {HOUR}, {KIND}, {PLACE}")


def upgrade():
    for table, columns in {
        'run_sums': [sa.Column('status', sa.Text(), nullable=False), sa.Column('bucket', sa.Integer(), nullable=True)],
        'error_sums': [
            sa.Column('type', sa.Text(), nullable=False),
            sa.Column('place', sa.Text(), nullable=True),
            sa.Column('task_id', sa.Uuid(as_uuid=False), nullable=False),
            sa.Column('last_at', sa.TIMESTAMP(timezone=True), nullable=False),
        ],
    }.items():
        op.create_table(table,
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
        sa.Column('tenant', sa.Text(), nullable=True),
        sa.Column('job_type', sa.Text(), nullable=False),
        sa.Column('hour', sa.TIMESTAMP(timezone=True), nullable=False),
        *columns,
        sa.Column('number', sa.BigInteger(), nullable=False),
        sa.Column('is_new', sa.Boolean(), server_default=sa.text('true'), nullable=False),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id')
        )
        op.create_index(f'{table}_by_user', table, ['user_id', 'job_type', 'hour'])
        op.create_index(f'{table}_by_tenant', table, ['tenant', 'job_type', 'hour'],
            postgresql_where=sa.text('tenant IS NOT NULL'))
        op.create_index(f'{table}_new', table, ['user_id', 'job_type', 'hour'], postgresql_where=sa.text('is_new'))

    # Rows are added and never changed, as those of task_counts: an end waits for no other one.
    run, error = RUN[1].format(task='NEW'), ERROR[1].format(task='NEW')
    op.execute(f"""
        CREATE FUNCTION sum_run() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO {RUN[0]} VALUES ({run}, 1, true);
            IF NEW.status = 'FAILURE' AND NEW.error ->> 'type' IS NOT NULL THEN
                INSERT INTO {ERROR[0]} VALUES ({error}, NEW.id, NEW.finished_at, 1, true);
            END IF;
            RETURN NULL;
        END $$""")
    op.execute("""
        CREATE TRIGGER task_summed AFTER UPDATE OF finished_at ON tasks FOR EACH ROW
        WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION sum_run()""")
    # Making a trigger locks the table against changes until the end of this transaction: nothing is counted twice.
    run, error = RUN[1].format(task='tasks'), ERROR[1].format(task='tasks')
    op.execute(f"""
        INSERT INTO {RUN[0]} SELECT {run}, count(*), false FROM tasks
        WHERE finished_at IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6""")
    op.execute(f"""
        INSERT INTO {ERROR[0]} SELECT {error}, (array_agg(id ORDER BY finished_at DESC))[1], max(finished_at), count(*), false
        FROM tasks WHERE finished_at IS NOT NULL AND status = 'FAILURE' AND error ->> 'type' IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5, 6""")


def downgrade():
    op.execute("DROP TRIGGER task_summed ON tasks")
    op.execute("DROP FUNCTION sum_run()")
    op.drop_table('error_sums')
    op.drop_table('run_sums')
