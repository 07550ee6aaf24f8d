"""Django's users and groups, under the name that the menu has for them."""

from django.contrib.auth.apps import AuthConfig
from django.utils.translation import gettext_lazy


class AccessConfig(AuthConfig):
    """The app ``django.contrib.auth``."""

    verbose_name = gettext_lazy("Access")
