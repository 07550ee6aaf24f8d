"""The staff's interface: Django's admin, built on the use cases of the catalogue."""

from django.contrib import admin

import products.admin.accounts
import products.admin.tokens  # noqa: F401 # both register their own pages
from products.admin.bulk import ProductBulk
from products.admin.csv_files import ProductCsvFiles
from products.admin.form_page import ProductForms
from products.admin.history import ProductHistory
from products.admin.images import ProductImages
from products.admin.inline_edit import ProductInlineEdit
from products.admin.jobs import ProductJobs
from products.admin.list_page import ProductList
from products.admin.operations import ProductOperations
from products.admin.preview import ProductPreview
from products.admin.receipt import ProductReceipt
from products.models import Product

admin.site.site_header = admin.site.site_title = "BBWS product catalogue"
admin.site.index_title = "Catalogue"
admin.site.site_url = None  # the admin is the front page of the site


@admin.register(Product)
class ProductAdmin(
    ProductList,
    ProductInlineEdit,
    ProductBulk,
    ProductCsvFiles,
    ProductJobs,
    ProductOperations,
    ProductForms,
    ProductImages,
    ProductPreview,
    ProductReceipt,
    ProductHistory,
):
    """The admin of products. Each base class is one group of pages, in a module of its own."""
