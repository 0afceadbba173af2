"""Lists of one status and of one job type are pieces of an index.

Revision ID: 0020
Revises: 0019

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

OF_TENANTS = sa.text('tenant IS NOT NULL')


def upgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.create_index('tasks_by_status', ['user_id', 'status', 'created_at', 'id'], unique=False)
        batch_op.create_index('tasks_by_type', ['user_id', 'job_type', 'created_at', 'id'], unique=False)
        batch_op.create_index('tasks_by_tenant_status', ['tenant', 'status', 'created_at', 'id'], unique=False, postgresql_where=OF_TENANTS)
        batch_op.create_index('tasks_by_tenant_type', ['tenant', 'job_type', 'created_at', 'id'], unique=False, postgresql_where=OF_TENANTS)


def downgrade():
    with op.batch_alter_table('tasks', schema=None) as batch_op:
        batch_op.drop_index('tasks_by_tenant_type', postgresql_where=OF_TENANTS)
        batch_op.drop_index('tasks_by_tenant_status', postgresql_where=OF_TENANTS)
        batch_op.drop_index('tasks_by_type')
        batch_op.drop_index('tasks_by_status')
