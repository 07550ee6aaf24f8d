"""Register the tasks with Celery, for the workers."""

from typing import Any

from celery import Task, shared_task

from tasks.products import TASKS
from tasks.running import run_logged


class LoggedTask(Task):
    """A task that runs with its log lines.

    It is a class, not a set of Celery signals, so that all a task does can be read in one place.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        """Run the task with its ids as log fields."""
        request = self.request
        run_logged(self.run, self.name, request.id, request.headers or {}, args, kwargs)


for task_name, task in TASKS.items():
    shared_task(name=task_name, base=LoggedTask)(task)
