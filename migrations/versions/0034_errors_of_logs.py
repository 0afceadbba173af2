"""Errors and warnings of a log are found by indexes.

Revision ID: 0034
Revises: 0033

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

IS_ERROR = r"""type = 'log' AND (level = ANY (ARRAY['ERROR', 'CRITICAL']) OR payload LIKE '%"item\_error"\:true%')"""
MAY_BE_WARNING = """type = 'log' AND level = ANY (ARRAY['WARNING', 'ERROR', 'CRITICAL']) OR type = 'task_status'"""
INDEXES = {'events_of_errors': IS_ERROR, 'events_of_warnings': MAY_BE_WARNING}


def upgrade():
    # Runs go on meanwhile: a large table of events takes minutes. An index that an interrupted upgrade left is not valid.
    with op.get_context().autocommit_block():
        for name, condition in INDEXES.items():
            op.drop_index(name, table_name='events', if_exists=True)
            op.create_index(name, 'events', ['stream_id', 'seq'], postgresql_where=sa.text(condition), postgresql_concurrently=True)


def downgrade():
    for name in reversed(INDEXES):
        op.drop_index(name, table_name='events')
