"""Words of the core for states, which the templates translate.

``{% translate row.state %}`` finds its text in the catalogue only if it is listed here.
"""

from django.utils.translation import gettext_noop

WORDS = (
    # states of the rows of jobs
    gettext_noop("waiting"),
    gettext_noop("accepted"),
    gettext_noop("unchanged"),
    gettext_noop("refused"),
    gettext_noop("skipped"),
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
