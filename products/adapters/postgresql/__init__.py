"""Django's engine for PostgreSQL, whose connections do not wait for a silent server."""
