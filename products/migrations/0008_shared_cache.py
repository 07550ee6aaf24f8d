"""Create the table of the cache that all processes share: codes that were used, and limits."""

from django.apps.registry import Apps
from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def create_table(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the table unless it exists."""
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("products", "0007_plans")]
    operations = [migrations.RunPython(create_table, migrations.RunPython.noop)]
