"""Plain names of columns.

Revision ID: 0027
Revises: 0026

"""
from alembic import op

# revision identifiers, used by Alembic.
revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

COLUMNS = (
    ('streams', 'swept', 'fully_pruned'),
    ('webhooks', 'held_until', 'backoff_until'),
    ('dispatches', 'sends', 'send_count'),
    ('users', 'told_at', 'token_issued_at'),
    ('broker_runs', 'told_at', 'hinted_at'),
    ('idempotency_keys', 'made', 'note'),
    ('open_groups', 'newest', 'newest_stream_id'),
    ('open_groups', 'quiet', 'quiet_rounds'),
)
INDEXES = (('streams_unswept', 'streams_prunable'), ('broker_lives_pkey', 'broker_runs_pkey'))


def upgrade():
    op.rename_table('broker_lives', 'broker_runs')
    for table, old, new in COLUMNS:
        op.alter_column(table, old, new_column_name=new)
    for old, new in INDEXES:
        op.execute(f'ALTER INDEX {old} RENAME TO {new}')


def downgrade():
    for old, new in INDEXES:
        op.execute(f'ALTER INDEX {new} RENAME TO {old}')
    for table, old, new in COLUMNS:
        op.alter_column(table, new, new_column_name=old)
    op.rename_table('broker_runs', 'broker_lives')
