"""Django's apps of users and of the admin, as this project needs them."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.apps import AuthConfig
from django.utils.translation import gettext_lazy


class AccessConfig(AuthConfig):
    """The app ``django.contrib.auth``, under the name that the menu has for it."""

    verbose_name = gettext_lazy("Access")


class SiteConfig(AdminConfig):
    """The app ``django.contrib.admin``, with our site."""

    default_site = "products.access.staff_site.StaffSite"
