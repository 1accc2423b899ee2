"""Money and the year: policy, prepayments, adjustments, the settled year 2022, and the draft of 2023."""

from datetime import date
from decimal import Decimal

from campaigns.models import Standard
from campaigns.rules import score
from config.demo import chance
from config.demo.cast import CENTRES, Cast
from config.demo.days import Year
from config.demo.papers import Papers
from config.demo.sheets import CENTRE_FILE, VILLAGE_FILE, WORDS, SheetStory, keep, publish_standard
from institutions import audit, clock
from institutions.models import Institution, Post, ServiceItem
from scoring import filling, opening, policies, publishing, sums, year_end
from scoring.models import (
    Adjustment,
    Evaluation,
    Prepayment,
    ScoreSheet,
    Workload,
    WorkUnit,
)

POLICY_2023 = {
    "考核次数": "4",
    "人均标准": "89",
    "季度权重": "25%;25%;25%;25%",
    "加分上限": "5",
    "全额线": "90",
    "拨付线": "60",
}
ADJUSTMENTS = (
    (2023, "ZC-WC", "bonus", "1.00", "承办全区基本公共卫生服务现场会", "周卫健办〔2023〕示例1号"),
    (2023, "ZC-QNL", "bonus", "0.50", "健康积分做法被市级推广", "市卫健委工作简报（示例）"),
    (2023, "ZC-JKQ", "deduction", "2.00", "2022年度问题未在规定时限内全部整改到位", "整改台账"),
    (2022, "ZC-WC", "bonus", "1.50", "家庭医生签约服务市级示范", "市卫健委通报（示例）"),
    (2022, "ZC-BJ", "deduction", "1.00", "老年人体检报告上报超期", "区疾控收件记录（示例）"),
)
# 示例 coefficients, by the unit of a follow-up of hypertension = 1 (docs/arithmetic.md).
WORK_UNITS = (
    ("DA-01", "建立居民健康档案", "01", "1.5000", "份"),
    ("DA-02", "更新居民健康档案", "01", "0.5000", "份"),
    ("ET-01", "儿童健康检查", "04", "1.2000", "人次"),
    ("YC-01", "产后访视", "05", "2.5000", "人次"),
    ("LN-01", "老年人健康体检", "06", "3.5000", "人"),
    ("GX-01", "高血压患者随访", "07a", "1.0000", "人次"),
    ("TN-01", "2型糖尿病患者随访", "07b", "1.2000", "人次"),
    ("JS-01", "严重精神障碍患者随访", "08", "1.8000", "人次"),
    ("ZY-01", "中医体质辨识", "11", "1.0000", "人次"),
    ("XG-01", "卫生监督协管巡查", "12", "1.0000", "户次"),
)
EQUIVALENT_CENTRE = "ZC-WC"


class YearStory:
    """Writes the policy, imports 2022, pays in advance, and settles."""

    def __init__(self, cast: Cast, year: Year, papers: Papers, sheets: SheetStory) -> None:
        self.cast, self.year, self.papers, self.sheets = cast, year, papers, sheets
        self.standards: dict[str, Standard] = {}

    def plan(self) -> None:
        self.year.on(date(2023, 1, 10), self.standards_2022, hour=9)
        self.year.on(date(2023, 1, 11), self.import_2022, hour=9)
        self.year.on(date(2023, 1, 12), lambda: self.adjust(2022), hour=9)
        self.year.on(date(2023, 1, 12), lambda: self.prepay(2022, 60), hour=10)
        self.year.on(date(2023, 1, 16), lambda: self.settle(2022), hour=9)
        self.year.on(date(2023, 1, 18), self.freeze_2022, hour=15)
        self.year.on(date(2023, 3, 7), self.write_policy, hour=14)
        self.year.on(date(2023, 4, 18), lambda: self.prepay(2023, 70), hour=10)
        self.year.on(date(2023, 11, 6), self.count_work, hour=14)
        self.year.on(date(2023, 11, 8), lambda: self.adjust(2023), hour=9)
        self.year.on(date(2023, 11, 17), lambda: self.settle(2023), hour=17)

    # 2022, as it was scored on paper

    def standards_2022(self) -> None:
        for name in (CENTRE_FILE, VILLAGE_FILE):
            standard = publish_standard(name, by=self.cast.post("jifu"), year=2022)
            self.standards[standard.code] = standard

    def import_2022(self) -> None:
        """Take in the final sheets of 2022: the centres', and the clinics' of one centre."""
        bureau = self.cast.unit("ZC")
        centres = [self.cast.unit(code) for code in CENTRES]
        clinics = self.cast.below("ZC-WC")
        for quarter in (1, 2, 3, 4):
            word = WORDS[quarter - 1]
            name = f"2022年第{word}季度国家基本公共卫生服务项目绩效评价"
            self._imported(bureau, self.standards["ZC2022"], quarter, name, centres, "jifu")
            wangcun = self.cast.unit("ZC-WC")
            name = f"{wangcun.known_as}2022年第{word}季度村卫生室绩效评价"
            self._imported(wangcun, self.standards["ZC2022V"], quarter, name, clinics, "wangcun")

    def _imported(
        self,
        unit: Institution,
        standard: Standard,
        quarter: int,
        name: str,
        institutions: list[Institution],
        by: str,
    ) -> None:
        """Write final sheets marked 导入, as the import of scores does: both sides nothing but the verified figures."""
        starts, post = date(2022, 3 * quarter, 20), self.cast.post(by)
        evaluation = Evaluation(
            institution=unit,
            supervisor=unit,
            author=post,
            status=Evaluation.Status.FINAL,
            name=name,
            year=2022,
            quarter=quarter,
            standard=standard,
            starts=starts,
            self_due=starts,
            verify_due=starts,
            published_at=clock.now(),
        )
        evaluation.save()
        sheets = opening.add_sheets(evaluation, institutions)
        opening.add_lines(evaluation)
        for sheet in sheets:
            self._score_2022(sheet)
        ranked = list(evaluation.sheets.select_related("institution"))
        publishing.store_ranks(ranked, unit)
        audit.record(
            "scoring.evaluation.import",
            "导入评分",
            by=post,
            bureau=evaluation.bureau_id,
            on=evaluation,
            institution=unit,
            note=f"评分表 {len(ranked)} 份",
            data={
                "count": len(ranked),
                "digest": audit.digest([s.institution.code, str(s.score)] for s in ranked),
            },
        )

    def _score_2022(self, sheet: ScoreSheet) -> None:
        """Score a sheet of the year before: the same hands, a few points lower."""
        skill = self.sheets.skill(sheet)
        skill = type(skill)(skill.unit, skill.people, skill.level - 3, skill.quarter)
        shares = policies.grade_shares(sheet.supervisor, 2022)
        lines = self.sheets.lines(sheet)
        self.sheets.judge(lines, skill, shares)
        keep(lines, filling.VERIFIED)
        totals = sums.add_up(sheet.pk)
        now = clock.now()
        sheet.sections.update(status="done", verifier=sheet.author_id, verified_at=now)
        ScoreSheet.objects.filter(pk=sheet.pk).update(
            status=ScoreSheet.Status.VERIFIED,
            imported=True,
            score=score(totals["points"], totals["full"]),
            submitted_at=now,
            verified_at=now,
        )

    # Policy, money, adjustments

    def write_policy(self) -> None:
        by = self.cast.post("caiwu")
        for key, value in POLICY_2023.items():
            policies.write(by.institution, 2023, key, value, by=by, seen="")

    def prepay(self, year: int, percent: int) -> None:
        """Pay a share of the year's due in advance, in whole thousands."""
        by = self.cast.post("caiwu")
        per_capita = 84 if year == 2022 else 89
        amounts = []
        for code in CENTRES:
            due = self.sheets.people[self.cast.unit(code).pk].residents * per_capita
            amounts.append((code, due * percent // 100 // 1000 * 1000))
        self._pay(by.institution, by, year, amounts)
        wangcun = self.cast.head(self.cast.unit("ZC-WC"))
        shares = []
        for clinic in self.cast.below("ZC-WC"):
            due = self.sheets.people[clinic.pk].residents * per_capita
            shares.append((clinic.code, due * (percent - 20) // 100 // 1000 * 1000))
        self._pay(wangcun.institution, wangcun, year, shares)

    def _pay(self, unit: Institution, by: Post, year: int, amounts: list[tuple[str, int]]) -> None:
        for code, amount in amounts:
            Prepayment(institution=self.cast.unit(code), year=year, amount=Decimal(amount)).save()
        audit.record(
            "scoring.prepayment.import",
            "登记预拨",
            by=by,
            bureau=unit.bureau_id,
            on=unit,
            institution=unit,
            note=f"{year} 年，机构 {len(amounts)} 家",
            data={"count": len(amounts), "digest": audit.digest(amounts)},
        )

    def adjust(self, year: int) -> None:
        by = self.cast.post("jifu")
        chosen = [row for row in ADJUSTMENTS if row[0] == year]
        for _, code, kind, points, reason, basis in chosen:
            Adjustment(
                institution=self.cast.unit(code),
                year=year,
                kind=kind,
                points=Decimal(points),
                reason=reason,
                basis=basis,
            ).save()
        audit.record(
            "scoring.adjustment.import",
            "登记加减分",
            by=by,
            bureau=by.institution,
            on=by.institution,
            institution=by.institution,
            note=f"{year} 年，{len(chosen)} 条",
            data={"count": len(chosen), "digest": audit.digest(chosen)},
        )

    def count_work(self) -> None:
        """The services of the list; what one centre's clinics and, until summer, all centres declared and had verified."""
        bureau, centre = self.cast.unit("ZC"), self.cast.unit(EQUIVALENT_CENTRE)
        items = {item.code: item for item in ServiceItem.objects.all()}
        units = [
            WorkUnit(
                bureau_id=bureau.pk,
                institution=bureau,
                year=2023,
                code=code,
                name=name,
                item=items[item],
                coefficient=Decimal(coefficient),
                unit=unit,
            )
            for code, name, item, coefficient, unit in WORK_UNITS
        ]
        WorkUnit.objects.bulk_create(units)
        self._work(centre, units, (1, 2, 3), by=self.cast.head(centre))
        self._work(bureau, units, (1, 2), by=self.cast.post("jifu"))
        for key, value in (("结算方式", "当量法"), ("资金池", "1860000.00")):
            policies.write(centre, 2023, key, value, by=self.cast.head(centre), seen="")

    def _work(
        self, unit: Institution, services: list[WorkUnit], quarters: tuple[int, ...], *, by: Post
    ) -> None:
        """What the institutions directly below a unit declared in these quarters, and what was verified of it."""
        rows = []
        for one in self.cast.below(unit.code):
            if one.parent_id != unit.pk or one.pk not in self.sheets.people:
                continue
            residents = self.sheets.people[one.pk].residents
            for service in services:
                for quarter in quarters:
                    declared = (
                        residents * chance.between(8, 30, service.code, one.code, quarter) // 400
                    )
                    approved = (
                        declared * chance.between(92, 100, one.code, service.code, quarter) // 100
                    )
                    rows.append(
                        Workload(
                            bureau_id=one.bureau_id,
                            institution=one,
                            year=2023,
                            quarter=quarter,
                            work_unit=service,
                            declared=Decimal(declared),
                            approved=Decimal(approved),
                        )
                    )
        Workload.objects.bulk_create(rows, batch_size=500)
        audit.record(
            "scoring.workload.import",
            "登记工作量",
            by=by,
            bureau=unit.bureau_id,
            on=unit,
            institution=unit,
            note=f"2023 年第 1 至 {quarters[-1]} 季度，{len(rows)} 条",
            data={
                "count": len(rows),
                "digest": audit.digest(
                    [r.institution.code, r.work_unit.code, r.quarter, str(r.approved)] for r in rows
                ),
            },
        )

    # The year's end

    def settle(self, year: int) -> None:
        year_end.settle(self.cast.unit("ZC"), year, by=self.cast.post("caiwu"))
        wangcun = self.cast.unit("ZC-WC")
        year_end.settle(wangcun, year, by=self.cast.head(wangcun))

    def freeze_2022(self) -> None:
        """The bureau's table of 2022 is frozen by its head, the centre's own by the bureau's will."""
        bureau = self.cast.unit("ZC")
        seen = bureau.year_tables.filter(year=2022).values_list("inputs", flat=True).first()
        year_end.freeze(bureau, 2022, by=self.cast.post("juzhang"), seen=seen or "")
