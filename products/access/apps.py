"""Django's users and groups, under the name that the menu has for them."""

from django.contrib.auth.apps import AuthConfig


class AccessConfig(AuthConfig):
    """The app ``django.contrib.auth``."""

    verbose_name = "Access"
