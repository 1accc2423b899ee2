from typing import TYPE_CHECKING, ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Substr
from django.urls import reverse

from institutions.fields import FixedField
from institutions.models.region import Region
from institutions.models.scoping import ScopedQuerySet
from institutions.pinyin import initials

if TYPE_CHECKING:
    from datetime import date

    from institutions.models.people import Post

code_validator = RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9_-]*\Z", "代码只能用字母、数字、“-”和“_”")


class Kind(models.TextChoices):
    """机构类别. The words of formats.md; the short value is stored."""

    BUREAU = "bureau", "卫生健康行政部门"
    HOSPITAL = "hospital", "医院"
    MATERNAL = "maternal", "妇幼保健院"
    CDC = "cdc", "疾控中心"
    INSPECTION = "inspection", "卫生监督机构"
    MENTAL = "mental", "精神病医院"
    TOWNSHIP = "township", "乡镇卫生院"
    COMMUNITY = "community", "社区卫生服务中心"
    STATION = "station", "社区卫生服务站"
    CLINIC = "clinic", "村卫生室"
    STREET = "street", "街道办事处"


CENTRE_KINDS = frozenset({Kind.TOWNSHIP, Kind.COMMUNITY})
CLINIC_KINDS = frozenset({Kind.CLINIC, Kind.STATION})


class Affiliation(models.TextChoices):
    """隶属: whom a unit belongs to, which need not be who supervises it for public health."""

    PROVINCE = "province", "省"
    CITY = "city", "市"
    COUNTY = "county", "区"
    TOWN = "town", "镇"
    PRIVATE = "private", "社会办"


class InstitutionQuerySet(models.QuerySet):
    def visible_to(self, post: "Post | None") -> Self:
        """Return the institutions a post may know of: the root of all scoping, nothing by default."""
        return self.none() if post is None else self.filter(post.reach.institutions_q())

    def open_on(self, day: "date") -> Self:
        return self.filter(
            Q(opened__isnull=True) | Q(opened__lte=day), Q(closed__isnull=True) | Q(closed__gt=day)
        )

    def under(self, institution: "Institution") -> Self:
        """Return `institution` and all that it supervises, directly or not."""
        return self.filter(path__startswith=institution.path)

    def supervised_by(self, institution: "Institution") -> Self:
        return self.filter(parent=institution)


class Institution(models.Model):
    """机构: a bureau at any level, a hospital, a centre, a clinic, a professional unit, a street office.

    `parent` is who supervises it for public health: a city hospital inside the district has the district's bureau
    there. `path` (codes from the root, each ended by "/") and `bureau` (nearest bureau at or above it) follow from it.
    """

    code = models.CharField("机构代码", max_length=32, unique=True, validators=[code_validator])
    name = models.CharField("机构名称", max_length=80)
    short_name = models.CharField("简称", max_length=40, blank=True)
    kind = models.CharField("机构类别", max_length=12, choices=Kind)
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="上级（督导）机构",
        related_name="children",
    )
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, verbose_name="行政区划", related_name="institutions"
    )
    uscc = models.CharField("统一社会信用代码", max_length=18, blank=True)
    licence = models.CharField("医疗机构登记号", max_length=22, blank=True)
    other_names = models.JSONField("其他名称", default=list, blank=True)
    also_kinds = models.JSONField("兼任类别", default=list, blank=True)
    affiliation = models.CharField("隶属", max_length=10, choices=Affiliation, blank=True)
    midwifery = models.BooleanField("助产机构", default=False)
    opened = models.DateField("启用日期", null=True, blank=True)
    closed = models.DateField("停用日期", null=True, blank=True)
    path = models.CharField(max_length=255, db_index=True, editable=False)
    bureau = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        editable=False,
        verbose_name="所属卫生健康行政部门",
        related_name="+",
    )
    search = models.CharField(max_length=255, editable=False, blank=True)

    objects = InstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "机构"
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(closed__isnull=True)
                | Q(opened__isnull=True)
                | Q(closed__gte=F("opened")),
                name="institution_closes_after_opening",
                violation_error_message="停用日期不能早于启用日期",
            ),
            models.CheckConstraint(
                condition=~Q(parent=F("pk")),
                name="institution_not_its_own_parent",
                violation_error_message="上级机构不能是本机构",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=Kind.values), name="institution_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("institution_detail", args=[self.pk])

    def clean(self) -> None:
        if self.parent and self.pk and self.parent.path.startswith(self.path or "\0"):
            raise ValidationError({"parent": "上级机构不能是本机构的下级"})
        if self.parent is None and self.kind != Kind.BUREAU:
            raise ValidationError({"parent": "请填写上级（督导）机构"})

    @property
    def is_bureau(self) -> bool:
        return self.kind == Kind.BUREAU

    @property
    def kinds(self) -> list[str]:
        """Its kind and the kinds it also acts as (区妇幼保健院 is also a community centre)."""
        return [self.kind, *self.also_kinds]

    @property
    def is_centre(self) -> bool:
        return bool(CENTRE_KINDS.intersection(self.kinds))

    @property
    def known_as(self) -> str:
        return self.short_name or self.name

    def open_on(self, day: "date") -> bool:
        return (self.opened is None or self.opened <= day) and (
            self.closed is None or self.closed > day
        )

    def derive(self) -> None:
        """Set what follows from the name and the parent: path, bureau (self for a bureau: after saving), search text."""
        self.path = f"{self.parent.path if self.parent else ''}{self.code}/"
        self.search = search_text(self.code, self.name, self.short_name, *self.other_names)

    def save(self, *args, **kwargs):
        before = None
        if self.pk:
            before = Institution.objects.filter(pk=self.pk).values_list("path", "bureau_id").first()
        self.derive()
        if not self.is_bureau:
            self.bureau_id = self.parent.bureau_id if self.parent else None
        elif self.pk:
            self.bureau_id = self.pk
        super().save(*args, **kwargs)
        if self.is_bureau and self.bureau_id is None:
            self.bureau_id = self.pk
            Institution.objects.filter(pk=self.pk).update(bureau=self.pk)
        if before and before != (self.path, self.bureau_id):
            self._carry_along(*before)

    def _carry_along(self, old_path: str, old_bureau: int | None) -> None:
        """Move what stands below with it; rows made under the old bureau keep theirs (house rule)."""
        below = Institution.objects.filter(path__startswith=old_path).exclude(pk=self.pk)
        below.filter(bureau=old_bureau).exclude(kind=Kind.BUREAU).update(bureau=self.bureau_id)
        below.update(path=Concat(Value(self.path), Substr("path", len(old_path) + 1)))


def search_text(*words: str) -> str:
    """Return what a search looks in: the words themselves and their pinyin initials, lower case."""
    said = [w for w in words if w]
    return " ".join([*said, *(initials(w) for w in said)]).lower()[:255]


class PlaceQuerySet(ScopedQuerySet):
    """What describes an institution: seen with it, by administrators too, whatever the item."""

    institution_path = "institution"
    item_path = None
    hidden_from: ClassVar = frozenset()

    def visible_to(self, post):
        if post is None:
            return self.none()
        return self.filter(post.reach.institutions_q(f"{self.institution_path}__"))


class Department(models.Model):
    """科室, with its second name where it has one (中医药科，挂医养健康科牌子)."""

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="departments"
    )
    name = models.CharField("科室名称", max_length=60)
    other_name = models.CharField("挂牌名称", max_length=60, blank=True)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "科室"
        ordering: ClassVar = ["institution", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "name"], name="department_name_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """Both names as papers print them: 中医药科（挂医养健康科牌子）."""
        return f"{self.name}（挂{self.other_name}牌子）" if self.other_name else self.name


class ServiceItem(models.Model):
    """服务项目: the 12 items; item 07 has two parts. `names` maps an edition's year to its wording."""

    code = models.CharField("代码", max_length=4, unique=True)
    name = models.CharField("名称", max_length=60)
    short_name = models.CharField("简称", max_length=20)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, verbose_name="所属项目", related_name="parts"
    )
    aliases = models.JSONField("别名", default=list, blank=True)
    names = models.JSONField("各版规范名称", default=dict, blank=True)
    key_group = models.BooleanField("重点人群", default=False)

    class Meta:
        verbose_name = verbose_name_plural = "服务项目"
        ordering: ClassVar = ["code"]

    def __str__(self) -> str:
        return self.name


class Responsibility(models.Model):
    """机构承担的项目: an institution delivers, leads or guides a service item."""

    class Duty(models.TextChoices):
        DELIVERS = "delivers", "承担"
        LEADS = "leads", "牵头"
        GUIDES = "guides", "指导"

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="responsibilities"
    )
    item = models.ForeignKey(ServiceItem, models.PROTECT, verbose_name="服务项目")
    duty = models.CharField("职责", max_length=10, choices=Duty)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "项目职责"
        ordering: ClassVar = ["institution", "item", "duty"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "item", "duty"], name="responsibility_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.get_duty_display()} {self.item}"


class Population(models.Model):
    """服务人口 of one year. A centre's is its whole area; its clinics' are shares of it and never added to it."""

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="populations"
    )
    year = models.PositiveSmallIntegerField("年度")
    residents = models.PositiveIntegerField("常住人口")
    children = models.PositiveIntegerField("0～6岁儿童", null=True, blank=True)
    pregnant = models.PositiveIntegerField("孕产妇", null=True, blank=True)
    elderly = models.PositiveIntegerField("65岁及以上老年人", null=True, blank=True)
    hypertension = models.PositiveIntegerField("高血压患者", null=True, blank=True)
    diabetes = models.PositiveIntegerField("2型糖尿病患者", null=True, blank=True)
    mental = models.PositiveIntegerField("严重精神障碍患者", null=True, blank=True)
    tuberculosis = models.PositiveIntegerField("肺结核患者", null=True, blank=True)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "服务人口"
        ordering: ClassVar = ["-year", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "year"], name="population_once_a_year")
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year}年"


class StaffQuerySet(PlaceQuerySet):
    def in_service(self) -> Self:
        return self.filter(left__isnull=True)

    def untrained(self) -> Self:
        """Return newcomers in service who have not been trained for their post at all."""
        return self.in_service().filter(joined__isnull=False, trained__isnull=True)

    def to_register(self) -> Self:
        """Return those who qualified as general practitioners and are not registered as such yet."""
        return self.in_service().filter(gp_qualified__isnull=False, gp_registered__isnull=True)

    def backbone(self) -> Self:
        """Return the talent pool: whoever has one of the four skills."""
        return self.in_service().filter(
            Q(guides=True) | Q(trains=True) | Q(analyses=True) | Q(assesses=True)
        )


class StaffMember(models.Model):
    """基本公共卫生工作人员名册, with training before start, GP registration and the four skills of the talent pool."""

    class Route(models.TextChoices):
        TRANSFER = "transfer", "转岗培训合格"
        RESIDENCY = "residency", "规培结业"

    SKILLS: ClassVar = {
        "guides": "业务指导",
        "trains": "人员培训",
        "analyses": "数据分析",
        "assesses": "绩效考核",
    }

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="staff"
    )
    name = models.CharField("姓名", max_length=40)
    title = models.CharField("岗位", max_length=40)
    item = models.ForeignKey(
        ServiceItem, models.PROTECT, null=True, blank=True, verbose_name="主要负责项目"
    )
    joined = models.DateField("到岗日期", null=True, blank=True)
    trained = models.DateField("岗前培训日期", null=True, blank=True)
    left = models.DateField("离岗日期", null=True, blank=True)
    gp_route = models.CharField("全科医师培训", max_length=10, choices=Route, blank=True)
    gp_qualified = models.DateField("合格或结业日期", null=True, blank=True)
    gp_registered = models.DateField("加注或注册全科医学专业日期", null=True, blank=True)
    guides = models.BooleanField("骨干：业务指导", default=False)
    trains = models.BooleanField("骨干：人员培训", default=False)
    analyses = models.BooleanField("骨干：数据分析", default=False)
    assesses = models.BooleanField("骨干：绩效考核", default=False)

    objects: ClassVar = StaffQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "工作人员"
        ordering: ClassVar = ["institution", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "name"],
                name="staff_member_once",
                violation_error_message="本机构名册里已有这个姓名，同名的请加编号区分",
            ),
            models.CheckConstraint(
                condition=Q(gp_qualified__isnull=True, gp_route="")
                | (Q(gp_qualified__isnull=False) & ~Q(gp_route="")),
                name="staff_member_route_with_day",
                violation_error_message="全科医师培训和合格日期要一起填",
            ),
            models.CheckConstraint(
                condition=Q(gp_registered__isnull=True)
                | Q(gp_qualified__isnull=False, gp_registered__gte=F("gp_qualified")),
                name="staff_member_registered_after",
                violation_error_message="注册日期不能早于合格或结业日期",
            ),
            models.CheckConstraint(
                condition=Q(left__isnull=True) | Q(joined__isnull=True) | Q(left__gte=F("joined")),
                name="staff_member_leaves_after",
                violation_error_message="离岗日期不能早于到岗日期",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def skills(self) -> list[str]:
        """The names of its skills, in the order of the paper."""
        return [label for name, label in self.SKILLS.items() if getattr(self, name)]


class Capacity(models.Model):
    """服务能力 of one institution and year: functions, place, beds, devices, posts, services, money.

    `functions` and `capabilities` are words of the lists below joined by “、”; `equipment` holds [name, number] each.
    `subsidy` is in yuan, `radius` in metres.
    """

    class Traditional(models.TextChoices):
        NONE = "none", "未建"
        BUILDING = "building", "在建"
        BUILT = "built", "已建成"

    class Premises(models.TextChoices):
        PUBLIC = "public", "产权公有"
        PRIVATE = "private", "个人所有"
        RENTED = "rented", "租用"

    FUNCTIONS = (
        "常见病诊疗",
        "多发病诊疗",
        "基本公共卫生服务",
        "计划生育技术服务",
        "健康管理",
        "危急重症现场急救",
        "转诊",
    )
    CAPABILITIES = (
        "门诊",
        "急诊急救",
        "住院",
        "手术",
        "分娩",
        "中医科",
        "中药房",
        "康复",
        "常规检验",
        "心电",
        "超声",
        "数字影像",
        "预约就诊",
        "双向转诊",
        "远程医疗",
    )

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name="机构", related_name="capacities"
    )
    year = models.PositiveSmallIntegerField("年度")
    functions = models.CharField("功能任务", max_length=120, blank=True)
    location = models.CharField("地理位置", max_length=80, blank=True)
    traffic = models.CharField("交通条件", max_length=120, blank=True)
    radius = models.PositiveIntegerField("服务半径（米）", null=True, blank=True)
    beds = models.PositiveIntegerField("床位数", null=True, blank=True)
    devices = models.PositiveIntegerField("主要设备数", null=True, blank=True)
    equipment = models.JSONField("主要设备", default=list, blank=True)
    posts = models.PositiveIntegerField("编制数", null=True, blank=True)
    positions = models.PositiveIntegerField("岗位设置数", null=True, blank=True)
    staffed = models.PositiveIntegerField("在岗人数", null=True, blank=True)
    capabilities = models.CharField("服务能力", max_length=160, blank=True)
    traditional = models.CharField(
        "中医馆（国医堂）", max_length=8, choices=Traditional, blank=True
    )
    traditional_on = models.DateField("中医馆建成日期", null=True, blank=True)
    premises = models.CharField("房屋产权", max_length=8, choices=Premises, blank=True)
    subsidy = FixedField("财政补助经费（元）", null=True, blank=True)
    pay = models.CharField("绩效工资政策落实", max_length=160, blank=True)

    objects = PlaceQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "服务能力"
        ordering: ClassVar = ["-year", "institution"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["institution", "year"], name="capacity_once_a_year"),
            models.CheckConstraint(
                condition=Q(subsidy__isnull=True) | Q(subsidy__gte=0),
                name="capacity_subsidy_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.institution} {self.year}年"

    @property
    def equipment_text(self) -> str:
        return "、".join(f"{name} {number}" for name, number in self.equipment)

    @property
    def lacking(self) -> list[str]:
        """What a paper asks of such an institution and is not filled in, by the names of the screen."""
        return lacking(self.institution.kind, self)


ASKED_OF_CENTRES = (
    "functions",
    "location",
    "traffic",
    "radius",
    "beds",
    "devices",
    "posts",
    "positions",
    "staffed",
    "capabilities",
    "traditional",
    "subsidy",
)
ASKED_OF_CLINICS = ("radius", "premises")


NAMES = {field.name: str(field.verbose_name) for field in Capacity._meta.fields}


def asked_of(kind: str) -> tuple[str, ...]:
    """Return the fields of `Capacity` that an institution of this kind has to fill in every year."""
    if kind in CLINIC_KINDS:
        return ASKED_OF_CLINICS
    return ASKED_OF_CENTRES if kind in CENTRE_KINDS else ("beds", "posts", "staffed")


def lacking(kind: str, row: object) -> list[str]:
    """Return the names of the fields asked of such a kind that are empty in `row` (a capacity, or its values)."""
    return [NAMES[name] for name in asked_of(kind) if getattr(row, name) in (None, "")]
