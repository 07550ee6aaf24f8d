"""Django's apps of users and of the admin, as this project needs them."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.apps import AuthConfig


class AccessConfig(AuthConfig):
    """The app ``django.contrib.auth``, under the name that the menu has for it."""

    verbose_name = "Access"


class SiteConfig(AdminConfig):
    """The app ``django.contrib.admin``, with our site."""

    default_site = "products.access.staff_site.StaffSite"
