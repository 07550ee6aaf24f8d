"""Add the permission to operate the pipeline, and the group that has it."""

from django.apps import apps as live_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# A frozen copy: products/access/groups.py has the groups of today.
GROUPS = {
    "Product admins": ["view", "add", "change", "delete", "operate"],
    "Product operators": ["view", "operate"],
}


def add_operators(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give the new permission to the groups that may operate the pipeline."""
    products = live_apps.get_app_config("products")
    create_permissions(products, verbosity=0, using=schema_editor.connection.alias)
    group = apps.get_model("auth", "Group")
    permission = apps.get_model("auth", "Permission")
    for name, verbs in GROUPS.items():
        wanted = [f"{verb}_product" for verb in verbs]
        chosen = permission.objects.filter(content_type__app_label="products", codename__in=wanted)
        group.objects.get_or_create(name=name)[0].permissions.set(chosen)


class Migration(migrations.Migration):
    dependencies = [("products", "0003_api_tokens")]
    operations = [
        migrations.AlterModelOptions(
            name="product",
            options={
                "base_manager_name": "objects",
                "managed": False,
                "permissions": [("operate_product", "Can operate the pipeline of products")],
            },
        ),
        migrations.RunPython(add_operators, migrations.RunPython.noop),
    ]
