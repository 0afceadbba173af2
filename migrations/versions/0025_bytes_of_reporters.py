"""What is reported of observed tasks counts for the reporter, not for the owner whom the reporter names.

Revision ID: 0025
Revises: 0024

"""
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

ENDED = "OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL"


def upgrade():
    triggers("NOT NEW.observed", f"{ENDED} AND NOT NEW.observed")


def downgrade():
    triggers("true", ENDED)


def triggers(created, ended):
    op.execute("DROP TRIGGER task_stored ON tasks")
    op.execute("DROP TRIGGER task_ended_stored ON tasks")
    op.execute(f"""
        CREATE TRIGGER task_stored AFTER INSERT ON tasks FOR EACH ROW
        WHEN ({created}) EXECUTE FUNCTION count_stored_bytes()""")
    op.execute(f"""
        CREATE TRIGGER task_ended_stored AFTER UPDATE OF finished_at ON tasks FOR EACH ROW
        WHEN ({ended}) EXECUTE FUNCTION count_stored_bytes()""")
