"""Add the permission to plan changes, and give it to the groups that may change products."""

from django.apps import apps as live_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

PLANNERS = ["Product editors", "Product admins"]


def add_planners(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give the new permission to the groups whose members may plan changes."""
    products = live_apps.get_app_config("products")
    create_permissions(products, verbosity=0, using=schema_editor.connection.alias)
    permission = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="products", codename="plan_product"
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=PLANNERS):
        group.permissions.add(*permission)


class Migration(migrations.Migration):
    dependencies = [("products", "0006_protect_token_users")]
    operations = [
        migrations.AlterModelOptions(
            name="product",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "permissions": [
                    ("operate_product", "Can operate the pipeline of products"),
                    ("plan_product", "Can plan changes of products"),
                ],
            },
        ),
        migrations.RunPython(add_planners, migrations.RunPython.noop),
    ]
