"""Make the table and write a row, as migrations with data do."""

from typing import Any

from django.db import migrations, models


def write(apps: Any, schema_editor: Any) -> None:
    seeds = apps.get_model("seeded", "Seed").objects
    seeds.using(schema_editor.connection.alias).create()


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel("Seed", [("id", models.BigAutoField(primary_key=True))]),
        migrations.RunPython(write),
    ]
