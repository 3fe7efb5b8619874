"""Submissions that are graded again, and on what each verdict rests, so that only what has changed is judged anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "regradings",
        sa.Column("submission_id", sa.Integer(), sa.ForeignKey("gradings.submission_id"), primary_key=True),
        sa.Column("asked_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("outcome", sa.LargeBinary()),
        sa.Column("executed", sa.LargeBinary()),
    )
    op.add_column("contents", sa.Column("judged", sa.LargeBinary()))


def downgrade() -> None:
    op.drop_column("contents", "judged")
    op.drop_table("regradings")
