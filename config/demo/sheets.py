"""Standards, and a year of evaluations: of the centres by the bureau, of the clinics by their centres.

The bureau's sheets go through every deed; the hundreds of village sheets are filled and judged in sets, by the same
functions and sums, and handed in and verified one by one.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib import resources

from django.db.models import F

from campaigns import publishing as standards
from campaigns.models import Campaign, Clause, Standard
from campaigns.rules import Method
from campaigns.standards import build, draft_of
from config.demo import chance
from config.demo.appeals import AppealStory
from config.demo.cast import CENTRES, Cast, many
from config.demo.days import Year
from config.demo.papers import Papers
from config.demo.units import KINDS
from institutions import audit, clock
from institutions.models import Institution, Population, Post
from institutions.rounding import half_up
from scoring import filling, opening, publishing, verifying
from scoring.models import Evaluation, ScoreLine, ScoreSection, ScoreSheet
from scoring.policies import grade_shares
from scoring.sums import add_up

PURPOSES = {label: value for value, label in Standard.Purpose.choices}
WORDS = "一二三四"
CENTRE_FILE, VILLAGE_FILE = "standard-2023.csv", "standard-2023-village.csv"
CAPABILITY_FILES = ("capability-township.csv", "capability-community.csv")
# 示例: the real shares are handed out by the provinces.
CAPABILITY_LEVELS = [
    {"name": "基本标准", "shares": {"C": "90", "B": "60", "A": "10"}, "core": "C"},
    {"name": "推荐标准", "shares": {"C": "95", "B": "80", "A": "30"}, "core": "B"},
]
# When a quarter's evaluation opens, self-assessment is due, verification is due, and results are published.
CALENDAR = {
    1: (date(2023, 4, 3), date(2023, 4, 14), date(2023, 4, 25), date(2023, 4, 27)),
    2: (date(2023, 7, 3), date(2023, 7, 14), date(2023, 7, 25), date(2023, 7, 27)),
    3: (date(2023, 10, 9), date(2023, 10, 18), date(2023, 10, 27), date(2023, 10, 31)),
    4: (date(2023, 11, 6), date(2023, 11, 22), date(2023, 12, 8), date(2023, 12, 15)),
}
# How good a centre is, in points of a hundred; the year lifts it, an item may weigh it down.
LEVELS = {
    "ZC-FY": 88,
    "ZC-QNL": 90,
    "ZC-WC": 92,
    "ZC-NJ": 86,
    "ZC-BJ": 84,
    "ZC-JKQ": 76,
    "ZL-A": 87,
    "ZL-B": 83,
}
WEAK_ITEMS = {"01": -6, "07a": -5, "07b": -7, "08": -4, "12": -5, "03": 3, "10": 3}
VERIFIERS = {
    "02": "jikong",
    "03": "jikong",
    "09": "jikong",
    "10": "jikong",
    "04": "fuyou",
    "05": "fuyou",
    "08": "jingfang",
    "12": "xieguan",
}
GROUPS = {
    "常住居民": "residents",
    "0～6岁": "children",
    "0～36月": "children",
    "活产": "pregnant",
    "65岁": "elderly",
    "高血压": "hypertension",
    "糖尿病": "diabetes",
    "精神障碍": "mental",
}


@dataclass(frozen=True)
class Skill:
    """How well an institution does at a time: what every figure of its sheet is drawn from."""

    unit: Institution
    people: Population
    level: int
    quarter: int

    def of(self, clause: Clause) -> int:
        """Return the level at a clause, 0…110: the item's weight, and a wobble of its own."""
        item = clause.item.code if clause.item else ""
        wobble = chance.between(-6, 6, self.unit.code, clause.code, self.quarter)
        return self.level + WEAK_ITEMS.get(item, 0) + wobble + self.quarter - 1


def figures(clause: Clause, skill: Skill, *, modest: bool) -> dict[str, object]:
    """Draw the figures of one line; the verified side is `modest` where the institution counted too much."""
    level = skill.of(clause) - (chance.between(3, 9, skill.unit.code, clause.code) if modest else 0)
    key = (skill.unit.code, clause.code, skill.quarter)
    rule = clause.rule
    match rule.method:
        case Method.ATTAIN | Method.REVERSE | Method.STEPS if rule.uses_rate:
            return _rate(clause, skill, level)
        case Method.ATTAIN:
            wanted = Decimal(rule.target or 1)
            return {"numerator": half_up(wanted * min(104, max(60, level + 6)) / 100, 0)}
        case Method.REVERSE | Method.STEPS:
            return {"numerator": Decimal(max(0, (96 - level) // 6))}
        case Method.YES_NO:
            return {"numerator": Decimal(0 if level < 74 else 1)}
        case Method.DEDUCT:
            return {"deductions": max(0, (94 - level) // 7)}
        case Method.MANUAL:
            half = half_up(clause.full_marks * min(100, level + 4) / 50, 0) / 2
            return {"entered": half_up(min(clause.full_marks, max(Decimal(0), half)), 2)}
        case Method.GRADE:
            return {"grade": "A" if level >= 90 else "B" if level >= 78 else "C"}
        case Method.SAMPLE:
            proper = min(10, max(5, (level + chance.between(0, 8, *key)) // 10 + 1))
            return {
                "numerator": Decimal(proper),
                "denominator": Decimal(10),
                "genuine": min(10, max(6, proper + 1)),
                "checked": 10,
            }
    raise ValueError(rule.method)


def _rate(clause: Clause, skill: Skill, level: int) -> dict[str, object]:
    rule, key = clause.rule, (skill.unit.code, clause.code, "of", skill.quarter)
    below = _denominator(clause, skill)
    if below == 0:
        return {"na": True, "note": "本季度没有服务对象"}
    match rule.method:
        case Method.REVERSE:
            share = Decimal(max(2, 104 - level)) / 1000
        case Method.STEPS:
            share = Decimal(min(100, level + 3)) / 100
        case _:
            goal = Decimal(rule.target or 1)
            share = goal * Decimal(1000 + (level - 92) * 9 + chance.between(-8, 8, *key)) / 1000
    above = min(below, max(Decimal(0), half_up(below * share, 0)))
    return {"numerator": above, "denominator": below}


def _denominator(clause: Clause, skill: Skill) -> Decimal:
    """Take the group of the population that the paper names, else a small round of work."""
    name = clause.denominator_name
    field = next((field for word, field in GROUPS.items() if word in name), "")
    if "肺结核" in name or "治疗" in name:
        return Decimal(skill.people.residents // 3400)
    if field:
        return Decimal(max(0, getattr(skill.people, field) or 0))
    if "村卫生室（站）" in name:
        return Decimal(max(1, skill.people.residents // 4000))
    if "资金" in name:
        return Decimal(skill.people.residents * 22)
    few = skill.people.residents < 8000
    return Decimal(
        chance.between(4, 9, clause.code, skill.unit.code) if few else 24 + skill.quarter
    )


def publish_standard(
    name: str, *, by: Post, year: int = 2023, levels: Sequence[dict[str, object]] = ()
) -> Standard:
    """Publish one of the shipped standards for the bureau of `by`, under its own code and name."""
    text = resources.files("campaigns").joinpath(f"data/{name}").read_text("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    bureau = by.institution
    title = rows[0]["标准名称"].removeprefix("周村区2023年")
    standard = draft_of(
        bureau,
        rows[0]["标准代码"].replace("ZC2023", f"{bureau.code}{year}"),
        year=year,
        name=f"{_place(bureau)}{year}年{title}",
        purpose=PURPOSES[rows[0]["用途"]],
        kinds=[KINDS[label] for label in many(rows[0]["适用机构类别"])],
        levels=list(levels),
    )
    build(standard, rows)
    standards.publish(standard, by=by)
    return standard


def _place(bureau: Institution) -> str:
    return bureau.name.removesuffix("卫生健康局").removesuffix("卫生健康委员会")


class SheetStory:
    """Publishes the standards and runs the quarters."""

    def __init__(self, cast: Cast, year: Year, papers: Papers) -> None:
        self.cast, self.year, self.papers = cast, year, papers
        self.appeals = AppealStory(cast, year, papers)
        self.people = {
            p.institution_id: p for p in Population.objects.filter(year=2023).order_by("pk")
        }
        self.centre_standard = Standard()
        self.village_standard = Standard()

    def plan(self) -> None:
        self.year.on(date(2023, 3, 2), self.publish_standards, hour=15)
        for quarter, (starts, *_) in CALENDAR.items():
            self.year.on(starts, lambda q=quarter: self.open_centres(q), hour=9)
            for code in CENTRES:
                self.year.on(starts, lambda q=quarter, c=code: self.open_clinics(c, q), hour=10)

    def publish_standards(self) -> None:
        by = self.cast.post("jifu")
        self.centre_standard = publish_standard(CENTRE_FILE, by=by)
        self.village_standard = publish_standard(VILLAGE_FILE, by=by)
        for name in CAPABILITY_FILES:
            publish_standard(name, by=by, levels=CAPABILITY_LEVELS)

    # The centres, by the bureau

    def open_centres(self, quarter: int) -> None:
        evaluation = self.evaluation(
            self.cast.post("jifu"),
            self.centre_standard,
            quarter,
            f"2023年第{WORDS[quarter - 1]}季度国家基本公共卫生服务项目绩效评价",
            [self.cast.unit(code) for code in CENTRES],
            campaign=Campaign.objects.get(year=2023),
        )
        for sheet in evaluation.sheets.select_related("institution"):
            self._plan_centre(sheet, quarter)
        if quarter < 4:
            published = CALENDAR[quarter][3]
            self.year.on(published, lambda: self.publish(evaluation), hour=10)

    def evaluation(
        self,
        by: Post,
        standard: Standard,
        quarter: int,
        name: str,
        institutions: list[Institution],
        *,
        campaign: Campaign | None = None,
    ) -> Evaluation:
        starts, self_due, verify_due, _ = CALENDAR[quarter]
        evaluation = opening.create(
            by=by,
            standard=standard,
            year=2023,
            quarter=quarter,
            name=name,
            starts=starts,
            self_due=self_due,
            verify_due=verify_due,
            institutions=institutions,
            campaign=campaign,
        )
        opening.open_evaluation(evaluation, by=by, version=evaluation.version)
        return evaluation

    def _plan_centre(self, sheet: ScoreSheet, quarter: int) -> None:
        code = sheet.institution.code
        self_due = CALENDAR[quarter][1]
        day = self_due - timedelta(days=chance.between(0, 4, code, quarter, "self"))
        if quarter < 4:
            self.year.on(day, lambda: self.hand_in(sheet))
            return
        # In the running quarter every state can be seen.
        match code:
            case "ZC-WC":
                self.year.on(date(2023, 11, 10), lambda: self.hand_in(sheet))
            case "ZC-QNL":
                self.year.on(date(2023, 11, 14), lambda: self.hand_in(sheet, sections=9))
            case "ZC-FY":
                self.year.on(date(2023, 11, 17), lambda: self.hand_in(sheet, sections=0))
            case "ZC-NJ":
                self.year.on(date(2023, 11, 13), lambda: self.hand_in(sheet, back=True))
            case "ZC-BJ":
                self.year.on(date(2023, 11, 16), lambda: self.fill(sheet, part=60))

    def skill(self, sheet: ScoreSheet) -> Skill:
        unit = self.cast.unit(sheet.institution.code)
        level = LEVELS.get(unit.code)
        if level is None:
            parent = unit.parent.code if unit.parent else ""
            level = LEVELS.get(parent, 88) + chance.between(-9, 6, unit.code, "level")
        return Skill(unit, self.people[unit.pk], level, sheet.quarter)

    def lines(self, sheet: ScoreSheet) -> list[ScoreLine]:
        return list(
            ScoreLine.objects.filter(sheet=sheet)
            .select_related("clause__item", "section")
            .order_by("section__position", "clause__position")
        )

    def fill(self, sheet: ScoreSheet, *, part: int = 100) -> None:
        """Write the self side of (a part of) the lines, as saving one after the other would."""
        skill, shares = self.skill(sheet), grade_shares(sheet.supervisor, sheet.year)
        lines = self.lines(sheet)
        lines = lines[: len(lines) * part // 100]
        for line in lines:
            filling.put(line, filling.SELF, self._self_side(line, skill), shares=shares)
        keep(lines, filling.SELF)
        add_up(sheet.pk)
        evidence = [line for line in lines if line.clause.core]
        if sheet.supervisor.is_bureau and evidence:
            paper = self.papers.paper(skill.unit, "自评佐证")
            for line in evidence:
                line.files.add(paper)

    def _self_side(self, line: ScoreLine, skill: Skill) -> dict[str, object]:
        values = figures(line.clause, skill, modest=False)
        if values.get("note") is None and chance.happens(
            12, skill.unit.code, line.clause.code, "n"
        ):
            values["note"] = "见信息系统报表和佐证材料"
        return values

    def judge(self, lines: list[ScoreLine], skill: Skill, shares) -> None:
        """Write the verified side: mostly what was declared, sometimes less, always with the reason of a loss."""
        for line in lines:
            modest = chance.happens(28, skill.unit.code, line.clause.code, skill.quarter, "modest")
            values = figures(line.clause, skill, modest=modest)
            outcome = filling.put(line, filling.VERIFIED, values, shares=shares)
            if outcome.points is not None and outcome.points < line.clause.full_marks:
                line.reason = _reason(line, lowered=line.points != line.self_points)
            elif line.na:
                line.reason = line.self_note or "本季度没有服务对象"

    def hand_in(
        self, sheet: ScoreSheet, *, sections: int | None = None, back: bool = False
    ) -> None:
        """Fill, submit, and plan what the supervisor does with it: all, some `sections`, or send it `back`."""
        unit = self.cast.unit(sheet.institution.code)
        self.fill(sheet)
        sheet.refresh_from_db()
        filling.submit(sheet, by=self.cast.head(unit), version=sheet.version)
        if back:
            self.year.after(2, lambda: self.send_back(sheet))
        elif sections is None:
            self.year.after(
                chance.between(2, 4, unit.code, sheet.quarter), lambda: self.verify(sheet)
            )
        elif sections:
            self.year.after(2, lambda: self.verify(sheet, sections=sections))

    def send_back(self, sheet: ScoreSheet) -> None:
        sheet.refresh_from_db()
        verifying.send_back(
            sheet,
            by=self.cast.post("jifu"),
            version=sheet.version,
            note="慢性病随访数与信息系统不一致，请按系统报表重新填报并上传截图。",
        )

    def verify(self, sheet: ScoreSheet, *, sections: int | None = None) -> None:
        """Judge section by section, by the lead agencies where there is one, then close the sheet."""
        skill, shares = self.skill(sheet), grade_shares(sheet.supervisor, sheet.year)
        lines = self.lines(sheet)
        parts = list(
            ScoreSection.objects.filter(sheet=sheet)
            .select_related("item", "institution", "supervisor", "sheet")
            .order_by("position")
        )
        for section in parts[:sections]:
            own = [line for line in lines if line.section_id == section.pk]
            self.judge(own, skill, shares)
            keep(own, filling.VERIFIED)
            verifying.finish(section, by=self.verifier(section), version=section.version)
        if sections is None:
            sheet.refresh_from_db()
            verifying.verify(sheet, by=self.officer(sheet), version=sheet.version)
        else:
            add_up(sheet.pk)

    def verifier(self, section: ScoreSection) -> Post:
        """Return the lead agency's post for the item, unless it is employed there (回避)."""
        officer = self.officer(section)
        name = VERIFIERS.get(section.item.code if section.item else "")
        if name is None or officer.institution.code != "ZC":
            return officer
        post = self.cast.post(name)
        return officer if post.institution_id == section.institution_id else post

    def officer(self, row: ScoreSheet | ScoreSection) -> Post:
        return self.cast.post("linqu" if row.supervisor.code == "ZL" else "jifu")

    def publish(self, evaluation: Evaluation, *, by: str = "jifukz") -> None:
        evaluation = Evaluation.objects.select_related("supervisor__bureau").get(pk=evaluation.pk)
        publishing.publish(evaluation, by=self.cast.post(by), version=evaluation.version)
        if evaluation.supervisor.code == "ZC":
            self.appeals.follow(evaluation)
        self.year.after(6, lambda: self.finalise(evaluation, by=by))

    def finalise(self, evaluation: Evaluation, *, by: str) -> None:
        evaluation.refresh_from_db()
        publishing.finalise(evaluation, by=self.cast.post(by), version=evaluation.version)

    # The clinics, by their centres

    def open_clinics(self, code: str, quarter: int) -> None:
        centre = self.cast.unit(code)
        evaluation = self.evaluation(
            self.cast.head(centre),
            self.village_standard,
            quarter,
            f"{centre.known_as}2023年第{WORDS[quarter - 1]}季度村卫生室绩效评价",
            self.cast.below(code),
        )
        _, self_due, verify_due, published = CALENDAR[quarter]
        if quarter < 4:
            self.year.on(self_due, lambda: self.hand_in_all(evaluation, share=100))
            self.year.on(verify_due, lambda: self.verify_all(evaluation, share=100))
            head = self.cast.head(centre).user.username
            self.year.on(published, lambda: self.publish(evaluation, by=head))
        else:
            done = chance.between(45, 85, code, "village")
            self.year.on(date(2023, 11, 15), lambda: self.hand_in_all(evaluation, share=done))
            self.year.on(date(2023, 11, 17), lambda: self.verify_all(evaluation, share=done // 2))

    def hand_in_all(self, evaluation: Evaluation, *, share: int) -> None:
        """Every clinic (or the last ones, a share of all) fills its sheet and hands it in; others have only begun."""
        sheets = self._sheets(evaluation)
        begun = len(sheets) - len(sheets) * share // 100
        for sheet in sheets[:begun:2]:
            self.fill(sheet, part=45)
        for sheet in sheets[begun:]:
            self.fill(sheet)
            filling.submit(
                sheet,
                by=self.cast.head(self.cast.unit(sheet.institution.code)),
                version=sheet.version,
            )

    def _sheets(self, evaluation: Evaluation) -> list[ScoreSheet]:
        return list(
            ScoreSheet.objects.filter(evaluation=evaluation)
            .select_related("institution", "supervisor", "evaluation")
            .order_by("institution__code")
        )

    def verify_all(self, evaluation: Evaluation, *, share: int) -> None:
        """The centre judges its clinics' sheets in one sitting: the sections in a set, each sheet by itself."""
        centre = evaluation.supervisor
        by, head = self.cast.worker(centre), self.cast.head(centre)
        shares = grade_shares(centre, evaluation.year)
        sheets = self._sheets(evaluation)
        chosen = sheets[len(sheets) - len(sheets) * share // 100 :]
        for sheet in chosen:
            lines = self.lines(sheet)
            self.judge(lines, self.skill(sheet), shares)
            keep(lines, filling.VERIFIED)
        sections = ScoreSection.objects.filter(sheet__in=chosen)
        sections.update(
            status=ScoreSection.Status.DONE,
            verifier=by,
            verified_at=clock.now(),
            version=F("version") + 1,
        )
        audit.record(
            "scoring.scoresection.finish_all",
            "村级分项核定完毕",
            by=by,
            bureau=evaluation.bureau_id,
            on=evaluation,
            institution=centre,
            note=f"评分表 {len(chosen)} 份",
            data={
                "count": len(chosen),
                "digest": audit.digest(sheet.institution.code for sheet in chosen),
            },
        )
        for sheet in chosen:
            verifying.verify(sheet, by=head, version=sheet.version)


def keep(lines: list[ScoreLine], side) -> None:
    """Write one side of many lines in one statement."""
    ScoreLine.objects.bulk_create(
        lines,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=filling.stored_fields(side),
    )


def _reason(line: ScoreLine, *, lowered: bool) -> str:
    clause = line.clause
    lead = "按核实数计，" if lowered else ""
    match clause.rule.method:
        case Method.DEDUCT:
            return f"{lead}抽查发现 {line.deductions} 处不规范"
        case Method.SAMPLE:
            return f"{lead}{line.checked} 份核实 {line.genuine} 份真实，{line.numerator:.0f} 份规范"
        case Method.GRADE:
            return f"{lead}抽查记录有不规范，评为 {line.grade}"
        case Method.MANUAL | Method.YES_NO:
            return f"{lead}现场查看资料不齐全"
        case _:
            return f"{lead}未达到目标值 {clause.target or '最高档'}"
