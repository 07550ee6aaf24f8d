"""The Django project: settings, URLs, the Celery app and the Lambda entry point of the API."""
