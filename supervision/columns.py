"""The column that the tables of problems, of the ledger and of complaints share."""

from django.db.models import TextChoices

from institutions import sheets
from institutions.tables import Column


def chosen(header: str, name: str, choices: type[TextChoices], *, example: str) -> Column:
    """Return a column that must hold one of the labels; its help lists them."""
    values = {str(choice.label): choice.value for choice in choices}
    return Column(
        header,
        name,
        sheets.choice(values),
        required=True,
        show=lambda value: str(choices(value).label),
        help="、".join(values),
        example=example,
    )
