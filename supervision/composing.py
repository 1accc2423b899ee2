"""The first text of a notice, composed from what was seen: problems by item naming institutions, demands, deadlines.

What it says is a draft: the officer changes every word of it before issue.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from django.core.exceptions import ValidationError

from institutions import clock
from institutions.models import Post
from institutions.official import Annex, one_line
from supervision.models import (
    Notice,
    Problem,
    Rectification,
    Sanction,
    SupervisionRound,
    Visit,
    VisitLine,
)
from supervision.noticing import Draft

REPLY_DAYS = 15
LISTED = 12  # problems written out in the text; all of them stand in the annex
PROBLEMS = ("序号", "机构", "服务项目", "问题描述", "性质", "整改时限")
PROBLEM_WIDTHS = (3, 8, 5, 24, 4, 6)
OWN_PROBLEMS = ("序号", "服务项目", "问题描述", "性质", "整改时限")
OWN_WIDTHS = (3, 5, 19, 4, 6)
NUMERALS = ("", *"一二三四五六七八九")


def numeral(number: int) -> str:
    """Return 1 to 99 as Chinese papers count: 一 … 十 … 二十一."""
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else NUMERALS[tens]) + ("十" if tens else "") + NUMERALS[ones]


def date_text(day: date | None) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def day_text(day: date | None) -> str:
    """A day as it stands in a column."""
    return f"{day:%Y-%m-%d}" if day else ""


def span_text(starts: date, ends: date) -> str:
    return date_text(starts) if starts == ends else f"{date_text(starts)}至{date_text(ends)}"


def item_name(row: Problem | Rectification | VisitLine) -> str:
    return row.item.short_name if row.item else "综合管理"


def problems_by_item(problems: Iterable[Problem]) -> str:
    """Return one numbered paragraph per item: each problem with the institutions where it was found.

    The problems need `item` and `institution` fetched; problems of one class are told together.
    """
    items: dict[str, list[Problem]] = {}
    for problem in problems:
        items.setdefault(item_name(problem), []).append(problem)
    lines = []
    for number, (name, found) in enumerate(items.items(), 1):
        units = {problem.institution_id for problem in found}
        head = f"（{numeral(number)}）{name}。发现问题{len(found)}个，涉及{len(units)}家机构。"
        lines.append(head + _told(found))
    return "\n".join(lines)


def _told(problems: Sequence[Problem]) -> str:
    classes: dict[str, list[str]] = {}
    for problem in problems:
        said = problem.category or one_line(problem.text)[:60].rstrip("。；")
        names = classes.setdefault(said, [])
        if problem.institution.known_as not in names:
            names.append(problem.institution.known_as)
    told = [f"{said}（{'、'.join(names)}）" for said, names in classes.items()]
    return "；".join(told[:LISTED]) + ("等" if len(told) > LISTED else "") + "。"


def problem_annex(problems: Iterable[Problem], title: str = "问题清单") -> Annex:
    """Return all problems as a wide table; they need `rectification` fetched as well."""
    rows = [
        (
            str(number),
            problem.institution.known_as,
            item_name(problem),
            one_line(problem.text),
            problem.get_severity_display(),
            day_text(problem.rectification.due if hasattr(problem, "rectification") else None),
        )
        for number, problem in enumerate(problems, 1)
    ]
    return Annex(title, PROBLEMS, rows, PROBLEM_WIDTHS)


def demands(due: date, number: int) -> str:
    """Return the closing chapters of a notice to many."""
    return (
        f"{numeral(number)}、下一步要求\n"
        "（一）落实整改责任。各单位对照问题清单逐项制定整改措施，明确责任领导和责任人，严重问题立行立改。\n"
        f"（二）按时完成整改。各单位于{date_text(due)}前报送整改报告，并在线上传佐证材料，逐项申请销号。\n"
        "（三）坚持举一反三。对通报的问题，未被点名的单位也要对照自查，防止同类问题反弹。"
    )


def reply_due() -> date:
    return clock.today() + timedelta(days=REPLY_DAYS)


def round_bulletin(round: SupervisionRound, *, by: Post) -> Draft:
    """Compose the 通报 of a round from its submitted visits. Raises ValidationError when there is none."""
    visits = list(
        Visit.objects.visible_to(by)
        .filter(round=round)
        .exclude(status__in=(Visit.Status.PLANNED, Visit.Status.CANCELLED))
        .select_related("institution")
        .prefetch_related("members")
        .order_by("institution__code")
    )
    if not visits:
        raise ValidationError("本轮还没有提交的督导记录，不能拟写通报")
    problems = list(
        Problem.objects.visible_to(by)
        .filter(visit_line__visit__in=[visit.pk for visit in visits])
        .select_related("institution", "item", "rectification")
        .order_by("item__code", "institution__code", "pk")
    )
    people = {visit.lead_id for visit in visits} | {
        member.pk for visit in visits for member in visit.members.all()
    }
    days = [visit.visited_on for visit in visits if visit.visited_on]
    units = [visit.institution for visit in visits]
    due = reply_due()
    body = (
        f"{span_text(min(days), max(days))}，{round.supervisor.name}组织开展{round.name}，"
        "现将有关情况通报如下。\n"
        "一、基本情况\n"
        f"本次督导共抽调{len(people)}人，督导机构{len(units)}家，采取查阅资料、系统核查、现场查看、电话核实等方式进行，"
        f"共发现问题{len(problems)}个。督导的机构有：{'、'.join(u.known_as for u in units)}。\n"
        "二、存在的主要问题\n"
        f"{problems_by_item(problems) or '本次督导没有发现需要整改的问题。'}\n" + demands(due, 3)
    )
    return Draft(
        kind=Notice.Kind.BULLETIN,
        title=f"关于{round.name}情况的通报",
        addressee="各有关医疗卫生机构：",
        body=body,
        annexes=[problem_annex(problems)] if problems else [],
        recipients=units,
        due=due,
        origin=round.name,
        campaign=round.campaign,
        round=round,
    )


def demand(rows: Sequence[Rectification], *, by: Post) -> Draft:
    """Compose a 整改通知书 to one institution from open rectifications (with institution, item and problem)."""
    unit = _one_unit(rows)
    if any(row.status not in Rectification.OPEN for row in rows):
        raise ValidationError("已销号或作废的整改不能再发整改通知书")
    due = max(row.due for row in rows)
    serious = sum(row.problem.severity != "minor" for row in rows)
    listed = "\n".join(
        f"{number}. {item_name(row)}：{one_line(row.problem.text).rstrip('。')}。"
        for number, row in enumerate(rows[:LISTED], 1)
    )
    more = f"\n其余问题见附件，共{len(rows)}个。" if len(rows) > LISTED else ""
    soon = f"其中性质严重的{serious}个，要立行立改。" if serious else ""
    body = (
        f"经督导检查，你单位国家基本公共卫生服务项目工作存在问题{len(rows)}个。"
        "依据《国家基本公共卫生服务规范（第三版）》和有关文件要求，现通知如下。\n"
        f"一、存在的问题\n{listed}{more}\n"
        "二、整改要求\n"
        f"请你单位制定整改措施，明确责任领导和责任人，按附件所列时限、最迟于{date_text(due)}前完成整改，"
        f"并上传佐证材料申请销号。{soon}\n"
        "三、有关事项\n"
        "逾期未整改或者整改不到位的，按规定通报批评，并与年终绩效评价挂钩。对本通知有异议的，请在签收后书面提出。"
    )
    cells = [
        (
            str(number),
            item_name(row),
            one_line(row.problem.text),
            row.problem.get_severity_display(),
            day_text(row.due),
        )
        for number, row in enumerate(rows, 1)
    ]
    return Draft(
        kind=Notice.Kind.DEMAND,
        title=f"关于{unit.known_as}国家基本公共卫生服务项目有关问题的整改通知书",
        addressee=f"{unit.name}：",
        body=body,
        annexes=[Annex("问题清单", OWN_PROBLEMS, cells, OWN_WIDTHS)],
        recipients=[unit],
        due=due,
        origin=f"整改{len(rows)}项",
        campaign=rows[0].problem.campaign,
        rectifications=rows,
    )


def clearance(rows: Sequence[Rectification], *, by: Post) -> Draft:
    """Compose a 复查销号单 to one institution from closed rectifications (with verifier)."""
    unit = _one_unit(rows)
    if any(row.status != Rectification.Status.CLOSED for row in rows):
        raise ValidationError("只有已销号的整改才能列入复查销号单")
    cells = [
        (
            str(number),
            item_name(row),
            one_line(row.problem.text),
            one_line(row.measures),
            day_text(row.done_on),
            row.verifier.title if row.verifier else "",
            one_line(row.opinion) or "同意销号",
            day_text(row.closed_at.astimezone(clock.SHANGHAI).date() if row.closed_at else None),
        )
        for number, row in enumerate(rows, 1)
    ]
    columns = (
        "序号",
        "服务项目",
        "问题描述",
        "整改措施",
        "完成日期",
        "复核人",
        "复核意见",
        "销号日期",
    )
    body = (
        f"你单位申请销号的问题{len(rows)}个，经复查，整改措施已经落实，佐证材料齐全，同意销号（见附件）。\n"
        "请你单位巩固整改成效，完善长效机制。12个月内再次发现同类问题的，按反弹问题从严处理。"
    )
    return Draft(
        kind=Notice.Kind.CLEARANCE,
        title=f"{unit.known_as}国家基本公共卫生服务项目问题复查销号单",
        addressee=f"{unit.name}：",
        body=body,
        annexes=[Annex("复查销号清单", columns, cells, (3, 4, 12, 11, 6, 5, 6, 6))],
        recipients=[unit],
        origin=f"已销号整改{len(rows)}项",
        campaign=rows[0].problem.campaign,
        rectifications=rows,
    )


def _one_unit(rows: Sequence[Rectification]):
    if not rows:
        raise ValidationError("请至少选择一项整改")
    units = {row.institution_id for row in rows}
    if len(units) > 1:
        raise ValidationError("一份通知书只发给一家机构")
    return rows[0].institution


def decision(row: Sanction) -> Draft:
    """Compose the 通报 of a decided penalty or reward; what only the entitled may know is never told."""
    if row.status != Sanction.Status.DECIDED or row.kind in Sanction.RESTRICTED:
        raise ValidationError("只有已生效、可以公开的决定才能拟写通报")
    unit, kind = row.institution, row.get_kind_display()
    words = [f"经研究，决定对{unit.name}予以{kind}"]
    if row.due:
        words.append(f"限于{date_text(row.due)}前整改到位")
    if row.points is not None:
        words.append(f"从{row.year}年度绩效评价得分中扣减{row.points}分")
    if row.amount is not None:
        words.append(f"{'奖励' if row.is_reward else '扣减'}{row.amount}元")
    ask = (
        "希望受到表扬的单位珍惜荣誉、再接再厉，各单位要以先进为榜样，不断提高服务质量。"
        if row.is_reward
        else "被处理的单位要深刻反思、限期整改；各单位要引以为戒，举一反三，防止同类问题发生。"
    )
    return Draft(
        kind=Notice.Kind.BULLETIN,
        title=f"关于对{unit.known_as}{kind}的决定",
        addressee="各有关医疗卫生机构：",
        body=f"一、事实和依据\n{row.reason}\n二、处理决定\n{'，'.join(words)}。\n三、有关要求\n{ask}",
        recipients=[unit],
        due=row.due,
        origin=f"奖惩决定：{row}",
        campaign=row.problem.campaign if row.problem else None,
    )


def feedback(visit: Visit, *, by: Post) -> Draft:
    """Compose the 督导反馈单 of a submitted visit: what was found, to be put right by when, signed by both sides."""
    if visit.status in (Visit.Status.PLANNED, Visit.Status.CANCELLED):
        raise ValidationError("督导记录提交后才能拟写反馈单")
    lines = list(
        VisitLine.objects.visible_to(by).filter(visit=visit).select_related("item").order_by("pk")
    )
    problems = list(
        Problem.objects.visible_to(by)
        .filter(visit_line__visit=visit)
        .select_related("item", "institution", "rectification")
        .order_by("item__code", "pk")
    )
    team = [visit.lead, *visit.members.all()]
    good = sum(line.found == VisitLine.Found.GOOD for line in lines)
    items = "、".join(item.short_name for item in visit.items.all()) or "全部项目"
    summary = one_line(visit.summary)
    found = "\n".join(
        f"{number}. {item_name(problem)}：{one_line(problem.text).rstrip('。')}（{problem.get_severity_display()}，"
        f"{date_text(problem.rectification.due)}前整改）。"
        for number, problem in enumerate(problems, 1)
    )
    body = (
        "一、督导情况\n"
        f"{date_text(visit.visited_on)}，督导组对你单位进行了{visit.round.get_type_display()}，督导项目为{items}。"
        f"督导组成员：{'、'.join(post.title for post in team)}。共检查{len(lines)}项，其中符合要求{good}项，"
        f"发现问题{len(problems)}个。{summary}\n"
        f"二、存在的问题\n{found or '本次督导没有发现需要整改的问题。'}\n"
        "三、整改要求\n"
        "请你单位对照上述问题逐项整改，按时限上传佐证材料，申请销号。"
        + (f"\n四、机构意见\n{one_line(visit.answer)}" if visit.answer else "")
    )
    return Draft(
        kind=Notice.Kind.FEEDBACK,
        title=f"{visit.institution.known_as}{visit.round.name.removesuffix('督导')}督导反馈单",
        addressee=f"{visit.institution.name}：",
        body=body,
        recipients=[visit.institution],
        due=max((p.rectification.due for p in problems), default=None),
        origin=str(visit),
        campaign=visit.round.campaign,
        round=visit.round,
        visit=visit,
        rectifications=[p.rectification for p in problems],
    )
