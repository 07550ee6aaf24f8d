"""The staff's interface: Django's admin, built on the use cases of the catalogue."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

import products.admin.people.users
import products.admin.tokens  # noqa: F401 # both register their own pages
from products.admin.product_admin import ProductAdmin
from products.models import Product

admin.site.site_header = admin.site.site_title = gettext_lazy("BBWS product catalogue")
admin.site.index_title = gettext_lazy("Catalogue")
admin.site.site_url = None  # the admin is the front page of the site
admin.site.register(Product, ProductAdmin)
