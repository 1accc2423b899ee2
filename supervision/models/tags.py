"""Words that a problem is tagged with: whom it concerns, and what sort of shortcoming it shows."""

from collections.abc import Iterable

from django.db import models
from django.db.models import Q


class KeyGroup(models.TextChoices):
    """重点人群: the six groups of the seed ("孕产妇、0-6岁儿童、高血压、糖尿病、老年人、严重精神障碍患者等重点人群")."""

    MATERNAL = "maternal", "孕产妇"
    CHILD = "child", "0～6岁儿童"
    HYPERTENSION = "hypertension", "高血压患者"
    DIABETES = "diabetes", "糖尿病患者"
    ELDERLY = "elderly", "老年人"
    MENTAL = "mental", "严重精神障碍患者"


class Aspect(models.TextChoices):
    """问题表现 ("还不扎实、质量还不过硬，还存在不平衡、不协调、不规范等问题")."""

    SHALLOW = "shallow", "不扎实"
    QUALITY = "quality", "质量不过硬"
    UNEVEN = "uneven", "不平衡"
    UNCOORDINATED = "uncoordinated", "不协调"
    IRREGULAR = "irregular", "不规范"


# Whose care a service item is, by its code.
_OF_ITEM = {
    "04": (KeyGroup.CHILD,),
    "05": (KeyGroup.MATERNAL,),
    "06": (KeyGroup.ELDERLY,),
    "07": (KeyGroup.HYPERTENSION, KeyGroup.DIABETES),
    "07a": (KeyGroup.HYPERTENSION,),
    "07b": (KeyGroup.DIABETES,),
    "08": (KeyGroup.MENTAL,),
}


def groups_of(code: str) -> tuple[str, ...]:
    """Return the key groups that a service item serves; none for an item that serves everybody."""
    return tuple(group.value for group in _OF_ITEM.get(code, ()))


def tagged(field: str, code: str) -> Q:
    """Return the condition that a `TagsField` holds the code."""
    return Q(**{f"{field}__contains": f"|{code}|"})


def tag_labels(choices: type[models.TextChoices], codes: Iterable[str]) -> list[str]:
    """Return the words of the codes, in the order of the vocabulary; an unknown code is left out."""
    wanted = set(codes)
    return [str(choice.label) for choice in choices if choice.value in wanted]
