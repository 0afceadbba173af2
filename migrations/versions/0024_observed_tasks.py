"""Observed tasks: run by others, who report them; and what works where.

Revision ID: 0024
Revises: 0023

"""
from alembic import op
import sqlalchemy as sa

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

UUID = sa.Uuid(as_uuid=False)
TIME = sa.TIMESTAMP(timezone=True)
NOW = sa.text('now()')


def upgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('observed', sa.Boolean(), server_default=sa.text('false'), nullable=False))
        batch_op.add_column(sa.Column('can_retry', sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column('queue', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('root_id', UUID, nullable=True))
        batch_op.add_column(sa.Column('group_id', UUID, nullable=True))
        batch_op.add_column(sa.Column('reporter', UUID, nullable=True))
        batch_op.add_column(sa.Column('reported_id', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('lease_seconds', sa.Integer(), nullable=True))
        batch_op.create_index('tasks_open_children', ['parent_id'], unique=False, postgresql_where=sa.text('parent_id IS NOT NULL AND finished_at IS NULL'))
    with op.batch_alter_table('leases', schema=None) as batch_op:
        batch_op.add_column(sa.Column('rounds', sa.Integer(), server_default='4', nullable=False))
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.create_index('users_by_subject', ['subject'], unique=False, postgresql_where=sa.text('subject IS NOT NULL'))

    op.create_table('reported_attempts',
    sa.Column('reported_id', UUID, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('task_id', UUID, nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=False),
    sa.Column('began_seq', sa.BigInteger(), nullable=False),
    sa.Column('reporter', UUID, nullable=False),
    sa.Column('writer', UUID, nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('reported_id', 'name')
    )
    with op.batch_alter_table('reported_attempts', schema=None) as batch_op:
        batch_op.create_index('reported_attempts_newest', ['reported_id', 'number'], unique=True)
        batch_op.create_index('reported_attempts_by_task', ['task_id'], unique=False)

    op.create_table('open_groups',
    sa.Column('task_id', UUID, nullable=False),
    sa.Column('newest', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('quiet', sa.Integer(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('task_id')
    )

    op.create_table('resends',
    sa.Column('task_id', UUID, nullable=False),
    sa.Column('reporter', UUID, nullable=False),
    sa.Column('writer', UUID, nullable=True),
    sa.Column('asked_at', TIME, server_default=NOW, nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('task_id')
    )
    with op.batch_alter_table('resends', schema=None) as batch_op:
        batch_op.create_index('resends_by_reporter', ['reporter', 'asked_at'], unique=False)

    reported('worker_reports',
    sa.Column('host', sa.Text(), nullable=True),
    sa.Column('pid', sa.BigInteger(), nullable=True),
    sa.Column('pool', sa.Text(), nullable=True),
    sa.Column('slots', sa.BigInteger(), nullable=True),
    sa.Column('queues', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('running', sa.ARRAY(UUID), nullable=False),
    sa.Column('memory_bytes', sa.BigInteger(), nullable=True),
    sa.Column('versions', sa.JSON(), nullable=False),
    )
    reported('queue_reports',
    sa.Column('depth', sa.BigInteger(), nullable=False),
    sa.Column('oldest_wait_seconds', sa.Float(), nullable=True),
    )


def reported(table, *columns):
    op.create_table(table,
    sa.Column('id', UUID, nullable=False),
    sa.Column('user_id', UUID, nullable=True),
    sa.Column('tenant', sa.Text(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    *columns,
    sa.Column('beat_seconds', sa.Float(), server_default=sa.text('10'), nullable=False),
    sa.Column('seen_at', TIME, server_default=NOW, nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table(table, schema=None) as batch_op:
        batch_op.create_index(f'{table}_by_name', ['name', 'id'], unique=False)


def downgrade():
    for table in ('queue_reports', 'worker_reports', 'resends', 'open_groups', 'reported_attempts'):
        op.drop_table(table)
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_index('users_by_subject', postgresql_where=sa.text('subject IS NOT NULL'))
    with op.batch_alter_table('leases', schema=None) as batch_op:
        batch_op.drop_column('rounds')
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_open_children', postgresql_where=sa.text('parent_id IS NOT NULL AND finished_at IS NULL'))
        for column in ('lease_seconds', 'reported_id', 'reporter', 'group_id', 'root_id', 'queue', 'can_retry', 'observed'):
            batch_op.drop_column(column)
