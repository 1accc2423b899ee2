"""The table of problems for django-import-export (institutions/resources.py)."""

from institutions.resources import TableResource
from supervision.tables import ProblemTable


class ProblemResource(TableResource):
    table = ProblemTable
