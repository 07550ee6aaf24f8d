"""The models for Django's admin and permissions.

Products are not in SQL: ``products.admin.queryset`` reads them from the catalogue.
"""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class ProductManager(models.Manager):
    """A manager that finds nothing, since there is no table of products."""

    def get_queryset(self) -> NoReturn:
        """Raise DoesNotExist, which Django's own views answer with 404."""
        raise self.model.DoesNotExist("A product is read through the catalogue.")


class Product(models.Model):
    """A product as the admin shows it. Only the catalogue can write one."""

    product_id = models.CharField("ID", max_length=64, primary_key=True)
    name = models.CharField(max_length=100)
    description = models.TextField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    renewal_price = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="ZAR")
    billing_cycle = models.CharField(
        max_length=8,
        choices=[("one-time", "One-time"), ("monthly", "Monthly"), ("yearly", "Yearly")],
        default="one-time",
    )
    period = models.CharField(max_length=100, blank=True)
    features = models.JSONField(default=list)
    # Without an image the value is None, as in the core, and not an empty text.
    image = models.CharField(max_length=120, null=True, blank=True)
    active = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("created")
    updated_at = models.DateTimeField("updated")
    updated_by = models.CharField(max_length=150)

    open_change: Any = None  # the newest change while it has an open effect

    objects = ProductManager()

    class Meta:
        managed = False
        base_manager_name = "objects"
        verbose_name = _("product")
        verbose_name_plural = _("products")
        permissions = [
            ("operate_product", "Can operate the pipeline of products"),
            ("plan_product", "Can plan changes of products"),
        ]

    def __str__(self) -> str:
        return str(self.name)

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("A product is written through the catalogue.")

    delete = save


class ApiToken(models.Model):
    """The list entry of an issued API token. Its secret is shown once and never stored."""

    token_id = models.CharField(max_length=36, primary_key=True)
    # A user with tokens is deactivated: without their list entry, nobody could revoke them.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, verbose_name=_("user")
    )
    label = models.CharField(_("label"), max_length=100, help_text=_("What it is for."))
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return gettext("{label} of {user}").format(label=self.label, user=self.user)


class StaffProfile(models.Model):
    """How a member of staff reads the admin: zone, numbers, language, and what was seen last."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="profile"
    )
    time_zone = models.CharField(max_length=50)
    number_format = models.CharField(max_length=20, default="en-za")
    language = models.CharField(max_length=10, blank=True)
    columns = models.CharField(max_length=200, blank=True)
    default_view = models.ForeignKey(
        "SavedView", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    last_seen_at = models.DateTimeField(null=True)
    previous_visit_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Profile of {self.user}"


class SavedView(models.Model):
    """A view of the product list under a name: its filters, its order and its columns."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views"
    )
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True)
    columns = models.CharField(max_length=200, blank=True)
    is_shared = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "pk"]
        default_permissions = ()
        permissions = [("share_savedview", "Can share views of the product list")]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="one_view_per_name")]

    def __str__(self) -> str:
        return str(self.name)
