"""The bare page with the product's own settings and middleware."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bbws_products.settings.full"

from django.conf import settings

settings.ROOT_URLCONF = "tests.bench.bare_page.urls"

from django.core.wsgi import get_wsgi_application  # noqa: E402 # needs the changed settings

application = get_wsgi_application()
