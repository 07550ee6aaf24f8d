"""``manage.py ring_open_changes``: the old name of ``requeue_open_changes``."""

from products.management.commands.requeue_open_changes import Command as RequeueCommand


class Command(RequeueCommand):
    help = "The old name of requeue_open_changes."
