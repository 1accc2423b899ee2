"""Asking residents at a visit: the questions, the entry, and what the answers add up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import F

from institutions import audit
from institutions.models import Institution, Post
from institutions.workflow import StaleState
from supervision.models import ResidentSurvey, Visit, VisitPolicy
from supervision.models.survey import Group
from supervision.recording import lock
from supervision.sampling import on_team_side


@dataclass(frozen=True)
class Question:
    """A question of awareness; `groups` are those it is asked of, empty means everybody."""

    code: str
    text: str
    groups: tuple[str, ...] = ()


# What residents should know of the services (国家基本公共卫生服务规范, the services each group is entitled to).
QUESTIONS = (
    Question("free", "知道国家基本公共卫生服务是免费的"),
    Question("record", "知道自己建有健康档案"),
    Question("where", "知道到哪里、找谁接受服务"),
    Question("chronic", "知道高血压、糖尿病患者每年可得到 4 次面对面随访", (Group.CHRONIC,)),
    Question("maternal", "知道孕期至少有 5 次健康服务和产后访视", (Group.MATERNAL,)),
    Question("child", "知道 0～6 岁儿童有免费的健康检查和预防接种", (Group.PARENT,)),
    Question("elderly", "知道 65 岁及以上老年人每年有 1 次免费体检", (Group.ELDERLY,)),
)


SETTINGS = ("chronic", "maternal", "parent", "elderly", "records", "keep_days")


def questions_for(group: str) -> list[Question]:
    """Return the questions that a resident of the group is asked."""
    return [question for question in QUESTIONS if not question.groups or group in question.groups]


def policy_of(institution: Institution) -> VisitPolicy:
    """Return the supervisor's settings, else its bureau's, else the defaults (not saved)."""
    rows = VisitPolicy.objects.filter(institution__in=[institution.pk, institution.bureau_id])
    own = sorted(rows, key=lambda row: row.institution_id != institution.pk)
    return own[0] if own else VisitPolicy(institution=institution)


def set_policy(row: VisitPolicy, *, by: Post, version: int) -> VisitPolicy:
    """Save the settings of one's own unit. `version` is the one its author saw, 0 for the defaults. Raises StaleState."""
    given = {name: getattr(row, name) for name in SETTINGS}
    with transaction.atomic():
        if version == 0:
            try:
                with transaction.atomic():
                    row = VisitPolicy.objects.create(institution=row.institution, **given)
            except IntegrityError as error:
                raise StaleState(row, version) from error
        else:
            rows = VisitPolicy.objects.filter(pk=row.pk, version=version)
            if not rows.update(**given, version=F("version") + 1):
                raise StaleState(row, version)
        audit.record(
            "supervision.visitpolicy.change",
            "修改现场核查设置",
            by=by,
            bureau=row.institution.bureau_id,
            on=row,
            institution=row.institution,
            data=given,
        )
    return row


def enter(
    visit: Visit,
    *,
    by: Post,
    key: UUID,
    group: str,
    channel: str,
    answers: dict[str, bool],
    satisfaction: str,
    phone: str = "",
    faced: bool | None = None,
    called_at_home: bool | None = None,
    remark: str = "",
) -> ResidentSurvey:
    """Enter one resident's answers; the same `key` twice is one entry. Raises PermissionDenied and StaleState."""
    if not visit.may_record(by):
        raise PermissionDenied("问卷由督导组登记")
    asked = [question.code for question in questions_for(group)]
    known = {code: bool(answers.get(code)) for code in asked}
    try:
        with transaction.atomic():
            lock(visit)
            return ResidentSurvey.objects.create(
                visit=visit,
                key=key,
                group=group,
                channel=channel,
                phone=phone,
                answers=known,
                asked=len(asked),
                right=sum(known.values()),
                faced=faced,
                called_at_home=called_at_home,
                satisfaction=satisfaction,
                remark=remark,
                author=by,
            )
    except IntegrityError:
        entered = visit.surveys.filter(key=key).first()
        if entered is None:
            raise
        return entered


def remove(survey: ResidentSurvey, *, by: Post) -> None:
    """Take back an entry while the visit is being recorded. Raises PermissionDenied and StaleState."""
    if not survey.visit.may_record(by):
        raise PermissionDenied("问卷由督导组登记")
    with transaction.atomic():
        lock(survey.visit)
        survey.delete()


def reveal(visit: Visit, *, by: Post) -> list[ResidentSurvey]:
    """Return the entries with their phones; that they were looked at is written down. Raises PermissionDenied.

    Never for the visited institution: who was asked about it stays unknown to it.
    """
    if not on_team_side(visit, by):
        raise PermissionDenied("居民电话只由督导组查看")
    rows = list(visit.surveys.select_related("author__institution"))
    with transaction.atomic():
        audit.record(
            "supervision.residentsurvey.reveal",
            "查看居民问卷电话",
            by=by,
            bureau=visit.bureau_id,
            on=visit,
            institution=visit.institution,
            data={"count": len(rows)},
        )
    return rows


# --- Rates -----------------------------------------------------------------------------------------


@dataclass
class SurveyTally:
    """What the entries add up to.

    知晓率 = 答对 ÷ 所问; 满意度 = (满意 + 基本满意) ÷ 接受过服务的; 面访率 and 上门率 = 是 ÷ 回答的.
    """

    people: int = 0
    asked: int = 0
    right: int = 0
    valid: int = 0
    satisfied: int = 0
    face_asked: int = 0
    faced: int = 0
    home_asked: int = 0
    at_home: int = 0

    @property
    def awareness(self) -> Fraction | None:
        return Fraction(self.right, self.asked) if self.asked else None

    @property
    def satisfaction(self) -> Fraction | None:
        return Fraction(self.satisfied, self.valid) if self.valid else None

    @property
    def face_rate(self) -> Fraction | None:
        return Fraction(self.faced, self.face_asked) if self.face_asked else None

    @property
    def home_rate(self) -> Fraction | None:
        return Fraction(self.at_home, self.home_asked) if self.home_asked else None


def tally(surveys: Iterable[ResidentSurvey]) -> SurveyTally:
    """Return what the entries add up to."""
    found = SurveyTally()
    for row in surveys:
        found.people += 1
        found.asked += row.asked
        found.right += row.right
        found.valid += row.satisfaction != "unused"
        found.satisfied += row.satisfaction in ("yes", "fairly")
        found.face_asked += row.faced is not None
        found.faced += bool(row.faced)
        found.home_asked += row.called_at_home is not None
        found.at_home += bool(row.called_at_home)
    return found
