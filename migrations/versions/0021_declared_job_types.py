"""What job types there are, as workers declare them: a web process has not their code.

Revision ID: 0021
Revises: 0020

"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('job_packages',
    sa.Column('package', sa.Text(), nullable=False),
    sa.Column('types', sa.JSON(), nullable=False),
    sa.Column('broken', sa.JSON(), nullable=False),
    sa.Column('declared_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('seen_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('package')
    )


def downgrade():
    op.drop_table('job_packages')
