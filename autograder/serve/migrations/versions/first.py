"""Students, tokens, submissions and what became of them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "students",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("account", sa.String(200), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("student_id", sa.Integer(), sa.ForeignKey("students.id"), index=True),
        sa.Column("issued_at", sa.Double(), nullable=False),
        sa.Column("revoked_at", sa.Double()),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("student_id", sa.Integer(), sa.ForeignKey("students.id"), nullable=False),
        sa.Column("assignment", sa.String(100), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.UniqueConstraint("student_id", "assignment", "digest"),
    )
    op.create_index("submissions_by_state", "submissions", ["state", "id"])
    op.create_table(
        "contents",
        sa.Column("submission_id", sa.Integer(), sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("notebook", sa.LargeBinary(), nullable=False),
        sa.Column("executed", sa.LargeBinary()),
    )
    op.create_table(
        "conditions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", sa.Text(), nullable=False),
    )
    op.create_table(
        "gradings",
        sa.Column("submission_id", sa.Integer(), sa.ForeignKey("submissions.id"), primary_key=True),
        sa.Column("graded_at", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("max_score", sa.Double(), nullable=False),
        sa.Column("manual_max_score", sa.Double(), nullable=False),
        sa.Column("repairs", sa.Text(), nullable=False),
        sa.Column("conditions", sa.String(64), sa.ForeignKey("conditions.digest"), nullable=False),
    )
    op.create_table(
        "verdicts",
        sa.Column("submission_id", sa.Integer(), sa.ForeignKey("gradings.submission_id"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("exercise", sa.String(200), nullable=False),
        sa.Column("verdict", sa.String(10), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("max_score", sa.Double(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("mistake", sa.String(200)),
        sa.Column("answer", sa.String(64), nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("assignment", sa.String(100), nullable=False, index=True),
        sa.Column("kind", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    for table in ("events", "verdicts", "gradings", "conditions", "contents", "submissions", "tokens", "students"):
        op.drop_table(table)
