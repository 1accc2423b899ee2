"""A standard says what it follows, why and from when; a campaign says which one it was copied from.

The triggers of 0002 stand on the tables that are altered here (SQLite rebuilds a table to add a column with a default):
they are taken off, and put back with the columns that publication settles from now on.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

import institutions.fields

settled = import_module("campaigns.migrations.0002_published_standards_are_immutable")
MORE = ("wanted_marks", "previous_id", "reason", "in_force_from", "levels")


def put_back(apps, editor):
    before = settled.SETTLED
    settled.SETTLED = (*before, *MORE)
    try:
        settled.install(apps, editor)
    finally:
        settled.SETTLED = before


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_published_standards_are_immutable")]
    operations = [
        migrations.RunPython(settled.remove, settled.install),
        migrations.AddField(
            "standard",
            "wanted_marks",
            institutions.fields.FixedField(
                blank=True, null=True, places=2, verbose_name="应有总分"
            ),
        ),
        migrations.AddField(
            "standard",
            "previous",
            models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="later",
                to="campaigns.standard",
                verbose_name="沿用自",
            ),
        ),
        migrations.AddField(
            "standard",
            "reason",
            models.CharField(blank=True, default="", max_length=300, verbose_name="修订理由"),
            preserve_default=False,
        ),
        migrations.AddField(
            "standard",
            "in_force_from",
            models.DateField(blank=True, null=True, verbose_name="施行日期"),
        ),
        migrations.AddField(
            "standard",
            "levels",
            models.JSONField(blank=True, default=list, editable=False, verbose_name="达标规则"),
        ),
        migrations.AddField(
            "standard", "version", models.PositiveIntegerField(default=1, editable=False)
        ),
        migrations.AddField(
            "campaign",
            "copied_from",
            models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="campaigns.campaign",
                verbose_name="沿用自",
            ),
        ),
        migrations.RunPython(put_back, settled.remove),
    ]
