"""Add saved views of the product list, and the permission to share them."""

import django.db.models.deletion
from django.apps import apps as live_apps
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def let_admins_share(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give the permission to share views to product admins."""
    products = live_apps.get_app_config("products")
    create_permissions(products, verbosity=0, using=schema_editor.connection.alias)
    permission = apps.get_model("auth", "Permission").objects.get(codename="share_savedview")
    for group in apps.get_model("auth", "Group").objects.filter(name="Product admins"):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0009_number_format"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("query", models.TextField(blank=True)),
                ("columns", models.CharField(blank=True, max_length=200)),
                ("is_shared", models.BooleanField(default=False)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "pk"],
                "default_permissions": (),
                "permissions": [("share_savedview", "Can share views of the product list")],
                "constraints": [
                    models.UniqueConstraint(fields=("user", "name"), name="one_view_per_name")
                ],
            },
        ),
        migrations.AddField(
            model_name="staffprofile",
            name="columns",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="staffprofile",
            name="default_view",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="products.savedview",
            ),
        ),
        migrations.RunPython(let_admins_share, migrations.RunPython.noop),
    ]
