"""What the core records about the actions of operators."""

from django.utils.translation import gettext_noop

SAME = (gettext_noop("There is no queue {queue}; there are {queues}."),)
OTHER = {
    "retried {effect}": gettext_noop("retried what was not yet {effect}"),
    "retried all: {cause}": gettext_noop("retried all with the cause “{cause}”"),
    "discarded {effect}": gettext_noop("gave up what was not yet {effect}"),
    "redrove dead letters of {result}": gettext_noop("retried failed messages of {result}"),
}
