"""How a text is marked with whose it is, and how the mark is found again."""

import re

from django.utils import timezone

from institutions.models import Institution

CANARY = re.compile(r"金丝雀[（(]([A-Z0-9-]+)[，,]([0-9a-z]*)[，,](\w+)[）)]")
ITEMS = ("02", "08")
NOW = timezone.now()


def mark(institution: Institution, item: str, kind: str) -> str:
    return f"金丝雀（{institution.code}，{item}，{kind}）"
