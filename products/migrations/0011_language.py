from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("products", "0010_saved_views")]

    operations = [
        migrations.AddField(
            model_name="staffprofile",
            name="language",
            field=models.CharField(blank=True, default="", max_length=10),
            preserve_default=False,
        ),
    ]
