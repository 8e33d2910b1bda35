"""The table that the migration fills."""

from django.db import models


class Seed(models.Model):
    """A row."""

    id = models.BigAutoField(primary_key=True)
