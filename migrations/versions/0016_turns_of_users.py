"""Whose task waits, which workers there are, and whose turn it is.

Revision ID: 0016
Revises: 0015

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('dispatches', schema=None) as batch_op:
        batch_op.add_column(sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column('job_type', sa.Text(), nullable=True))

    # By a trigger, so that what a process of the version before queues has an owner too. Making it locks the table
    # against changes until the end of this transaction: no row is left out.
    op.execute("""
        CREATE FUNCTION name_owner_of_dispatch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            SELECT user_id, job_type INTO NEW.user_id, NEW.job_type FROM tasks WHERE id = NEW.task_id;
            RETURN NEW;
        END $$""")
    op.execute("CREATE TRIGGER dispatch_made BEFORE INSERT ON dispatches FOR EACH ROW EXECUTE FUNCTION name_owner_of_dispatch()")
    op.execute("""
        UPDATE dispatches SET user_id = tasks.user_id, job_type = tasks.job_type
        FROM tasks WHERE tasks.id = task_id""")
    with op.batch_alter_table('dispatches', schema=None) as batch_op:
        batch_op.alter_column('user_id', existing_type=sa.Uuid(as_uuid=False), nullable=False)
        batch_op.alter_column('job_type', existing_type=sa.Text(), nullable=False)
        batch_op.create_index('dispatches_by_user', ['user_id', 'job_type', 'due_at'], unique=False)

    op.create_table('workers',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('queues', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('slots', sa.Integer(), nullable=False),
    sa.Column('spare', sa.Integer(), nullable=False),
    sa.Column('seen_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('turns',
    sa.Column('user_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('claimed_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('held', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id')
    )
    with op.batch_alter_table('turns', schema=None) as batch_op:
        batch_op.create_index('turns_held', ['user_id'], unique=False, postgresql_where=sa.text('held'))


def downgrade():
    op.drop_table('turns')
    op.drop_table('workers')
    op.execute("DROP TRIGGER dispatch_made ON dispatches")
    op.execute("DROP FUNCTION name_owner_of_dispatch()")
    with op.batch_alter_table('dispatches', schema=None) as batch_op:
        batch_op.drop_index('dispatches_by_user')
        batch_op.drop_column('job_type')
        batch_op.drop_column('user_id')
