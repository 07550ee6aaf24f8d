"""The project: settings, URLs, the Celery app, and the entry point of the API on Lambda."""
