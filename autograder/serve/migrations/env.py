"""What Alembic runs for each migration: all steps that lack are one transaction."""

from alembic import context

from autograder.serve.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
with connection.begin(), context.begin_transaction():
    context.run_migrations()
