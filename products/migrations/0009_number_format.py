from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("products", "0008_shared_cache")]

    operations = [
        migrations.AddField(
            model_name="staffprofile",
            name="number_format",
            field=models.CharField(default="en-za", max_length=20),
        ),
    ]
