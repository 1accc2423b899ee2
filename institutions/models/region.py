from typing import ClassVar

from django.db import models


class Region(models.Model):
    """行政区划: the GB/T 2260 tree from province to county, towns, streets and villages below it by import.

    `path` lists the codes from the root down, each ended by "/", so that an area is a prefix.
    """

    class Level(models.IntegerChoices):
        PROVINCE = 1, "省"
        CITY = 2, "市"
        COUNTY = 3, "县（区）"
        TOWN = 4, "镇（街道）"
        DISTRICT = 5, "管区"
        VILLAGE = 6, "村（居）"

    code = models.CharField("区划代码", max_length=12, unique=True)
    name = models.CharField("名称", max_length=60)
    level = models.PositiveSmallIntegerField("级别", choices=Level)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="上级区划",
        related_name="children",
    )
    path = models.CharField(max_length=80, db_index=True, editable=False)
    valid_from = models.DateField("启用日期", null=True, blank=True)
    valid_to = models.DateField("停用日期", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "行政区划"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args, **kwargs):
        self.path = f"{self.parent.path if self.parent else ''}{self.code}/"
        super().save(*args, **kwargs)
