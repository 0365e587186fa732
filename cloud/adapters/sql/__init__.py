"""SQL through SQLAlchemy Core: one schema, MySQL/MariaDB and SQLite."""
