"""Whose turn it is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("submissions", sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
    op.drop_index("submissions_by_state", "submissions")
    op.create_index("submissions_by_turn", "submissions", ["state", "turn", "id"])


def downgrade() -> None:
    op.drop_index("submissions_by_turn", "submissions")
    op.drop_column("submissions", "turn")
    op.create_index("submissions_by_state", "submissions", ["state", "id"])
