"""The permission to operate the pipeline, and the group that has it."""

from importlib import import_module

from django.db import migrations

create_groups = import_module("products.migrations.0002_groups").create_groups


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
        migrations.RunPython(create_groups, migrations.RunPython.noop),
    ]
