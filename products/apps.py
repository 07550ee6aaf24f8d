from django.apps import AppConfig
from django.utils.translation import gettext_lazy


class ProductsConfig(AppConfig):
    name = "products"
    verbose_name = gettext_lazy("Product catalogue")
