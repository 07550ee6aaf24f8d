"""Create the groups of staff."""

from django.apps import apps as live_apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# A frozen copy: products/access/groups.py has the groups of today.
GROUPS = {
    "Product viewers": ["view"],
    "Product editors": ["view", "add", "change"],
    "Product admins": ["view", "add", "change", "delete"],
}


def create_groups(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the groups with their permissions, which Django would create only afterwards."""
    products = live_apps.get_app_config("products")
    create_permissions(products, verbosity=0, using=schema_editor.connection.alias)
    group = apps.get_model("auth", "Group")
    permission = apps.get_model("auth", "Permission")
    for name, verbs in GROUPS.items():
        wanted = [f"{verb}_product" for verb in verbs]
        chosen = permission.objects.filter(content_type__app_label="products", codename__in=wanted)
        group.objects.get_or_create(name=name)[0].permissions.set(chosen)


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
