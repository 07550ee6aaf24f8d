"""Words of the core for states, which the templates translate.

``{% translate job.state %}`` finds its text in the catalogue only if it is listed here.
"""

from django.utils.translation import gettext_noop

WORDS = (
    # states of jobs, and of their rows
    gettext_noop("planning"),
    gettext_noop("planned"),
    gettext_noop("running"),
    gettext_noop("done"),
    gettext_noop("cancelled"),
    gettext_noop("waiting"),
    gettext_noop("accepted"),
    gettext_noop("unchanged"),
    gettext_noop("refused"),
    gettext_noop("skipped"),
    # states of changes, and of their effects
    gettext_noop("stored"),
    gettext_noop("purged"),
    gettext_noop("searchable"),
    gettext_noop("audited"),
    gettext_noop("complete"),
    gettext_noop("failed"),
    gettext_noop("pending"),
    gettext_noop("retrying"),
    gettext_noop("discarded"),
    gettext_noop("not configured"),
    # billing cycles, as files name them
    gettext_noop("one-time"),
    gettext_noop("monthly"),
    gettext_noop("yearly"),
    # what the drift scan looks at
    gettext_noop("active records"),
    gettext_noop("inactive records"),
    gettext_noop("open changes"),
    gettext_noop("documents"),
    gettext_noop("audit records"),
)
