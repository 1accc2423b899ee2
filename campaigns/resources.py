"""The table of standards for django-import-export (institutions/resources.py)."""

from campaigns.tables import StandardTable
from institutions.resources import TableResource


class StandardResource(TableResource):
    table = StandardTable
