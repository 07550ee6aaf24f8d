"""What gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from bbws_products.access import answered_again
from products.api.hot import HotAnswers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bbws_products.settings")
application = HotAnswers(get_wsgi_application(), settings.HOT_ANSWER_SECONDS, answered_again)
