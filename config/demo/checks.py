"""Checks from above with what was prepared for them, complaints, checks of progress, and surveys. All made up (示例)."""

from datetime import date, timedelta
from decimal import Decimal

from campaigns import following, preparing, pursuing, work_logging
from campaigns.models import (
    Contribution,
    Preparation,
    Series,
    SuperiorCheck,
    Target,
    WorkLog,
)
from campaigns.periods import Period
from config.demo import chance
from config.demo.campaign import CampaignStory
from config.demo.cast import CENTRES, MIDWIFERY, Cast
from config.demo.days import Year
from institutions import clock
from supervision import complaining
from supervision.models import Complaint
from supervision.models.complaint import CATEGORIES

# level, name, day, about, registered on, score, result
CHECKS = (
    ("province", "2022年度省级绩效评价", date(2023, 3, 10), True, date(2023, 2, 14),
     "92.6", "全市第2名；指出老年人健康管理率偏低、个别档案空项（示例）。"),
    ("city", "市级上半年督导评估", date(2023, 7, 20), False, date(2023, 6, 26),
     "94.1", "家庭医生签约履约记录不全的单位要限期整改（示例）。"),
    ("province", "2023年度省级绩效评价", date(2023, 12, 12), True, date(2023, 11, 6), "", ""),
)  # fmt: skip
# what, who, post, days before the check
LINES = (
    ("准备汇报材料和佐证目录", "ZC", "基妇科经办人", 20),
    ("整理资金拨付、支出凭证", "ZC", "财务科经办人", 30),
    ("补齐老年人体检反馈记录", "ZC-QNL", "公卫科经办人", 25),
    ("核对慢病随访档案，补空项", "ZC-WC", "公卫科经办人", 26),
    ("核对签约协议和履约记录", "ZC-JKQ", "公卫科经办人", 28),
    ("整理孕产妇随访登记", "ZC-FY", "保健科经办人", 24),
)
NOT_READY = {"核对签约协议和履约记录"}
CALLS = (
    "体检后一个月还没有收到结果反馈", "打电话咨询接种时间无人接听", "随访人员态度生硬",
    "签约后没有人上门", "卫生室上班时间没有人", "慢病用药经常缺货", "健康档案信息登记错误",
)  # fmt: skip
# One that is not answered although its last day has passed, one to be answered now, one to be judged.
UNANSWERED = ((date(2023, 11, 6), "ZC-JKQ"), (date(2023, 11, 15), "ZC-NJ"))
TO_JUDGE = (date(2023, 11, 13), "ZC-BJ")
ANSWER = "已核实情况，向反映人说明并改正，今后加强管理（示例）。"
FORMS = (
    ("service", date(2023, 4, 12), "主动上门帮助卫生院核对档案", 1),
    ("dispatch", date(2023, 5, 24), "电话跟踪调度重点人群签约进度", 2),
    ("supervision", date(2023, 6, 28), "督导检查老年人健康管理", 3),
    ("visit", date(2023, 8, 9), "到村卫生室实地考察随访", 4),
)
TOWNS = ("dajiejd", "qingnianjd", "yonganjd", "sichoujd", "wangcunzf", "nanjiaozf", "beijiaozf")


class CheckStory:
    """Lives through the year as whoever is checked, asked and called."""

    def __init__(self, cast: Cast, earlier: Year, year: Year, story: CampaignStory) -> None:
        self.cast, self.earlier, self.year, self.story = cast, earlier, year, story

    def plan(self) -> None:
        self.earlier.on(date(2021, 3, 16), self.set_towns, hour=9)
        for check in CHECKS:
            self.year.on(check[4], lambda check=check: self.expect(*check), hour=9)
        self.year.on(date(2023, 3, 8), self.survey, hour=9)
        for number in range(24):
            day = date(2023, 2, 6) + timedelta(days=11 * number)
            code = CENTRES[number % len(CENTRES)]
            self.year.on(day, lambda n=number, c=code: self.call(n, c))
        for number, (day, code) in enumerate((*UNANSWERED, TO_JUDGE), 24):
            self.year.on(day, lambda n=number, c=code: self.call(n, c))
        for form in FORMS:
            self.year.on(form[1], lambda form=form: self.look(*form))
        self.year.on(date(2023, 3, 6), self.link, hour=15)

    # Checks

    def expect(self, level, name, day, about, registered, score, result) -> None:
        by = self.cast.post("jifu")
        check = SuperiorCheck(
            bureau=by.institution,
            level=level,
            name=name,
            day=day,
            about=about,
            text="听取汇报，查阅资料，抽查档案，电话核实（示例）。",
        )
        centres = [self.cast.unit(code) for code in CENTRES]
        preparing.save_check(check, by=by, institutions=centres)
        for text, code, duty, before in LINES:
            line = Preparation(
                superior_check=check,
                institution=self.cast.unit(code),
                text=text,
                duty=duty,
                due=max(day - timedelta(days=before), registered + timedelta(days=3)),
            )
            preparing.save_line(line, by=by)
            late = text in NOT_READY
            if not (late and not score):
                ready = line.due + timedelta(days=2 if late else -1)
                self.year.on(ready, lambda row=line: self.prepare(row))
        if score:
            self.year.on(day + timedelta(days=20), lambda: self.note(check, score, result), hour=15)

    def prepare(self, line: Preparation) -> None:
        line.refresh_from_db()
        code = line.institution.code
        by = self.cast.post("jifu") if code == "ZC" else self.cast.worker(line.institution)
        preparing.finish(
            line, by=by, version=line.version, on=clock.today(), note="已准备好，存档备查（示例）。"
        )

    def note(self, check: SuperiorCheck, score: str, result: str) -> None:
        check.refresh_from_db()
        preparing.record_result(
            check,
            by=self.cast.post("jifu"),
            version=check.version,
            score=Decimal(score),
            full=Decimal(100),
            result=result,
        )

    # Complaints

    def call(self, number: int, code: str) -> None:
        today = clock.today()
        row = Complaint(
            number=f"2023-{number + 1:03}",
            institution=self.cast.unit(code),
            received_on=today,
            due=today + timedelta(days=7),
            channel="hotline" if chance.happens(80, number, "channel") else "letter",
            kind="complaint" if chance.happens(60, number, "kind") else "question",
            category=chance.one_of(CATEGORIES, number),
            text=f"{chance.one_of(CALLS, number)}（示例）",
        )
        complaining.register(row, by=self.cast.post("jifu"))
        if number in (24, 25):
            return
        days = 9 if chance.happens(12, number, "late") else chance.between(1, 5, number, "days")
        self.year.on(today + timedelta(days=days), lambda: self.answer(row, number))

    def answer(self, row: Complaint, number: int) -> None:
        unit = self.cast.unit(row.institution.code)
        row.reply(
            by=self.cast.worker(unit), version=row.version, answer=ANSWER, handler="公卫科经办人"
        )
        if number != 26:
            self.year.after(2, lambda: self.close(row, number))

    def close(self, row: Complaint, number: int) -> None:
        words = ("yes", "yes", "yes", "yes", "yes", "yes", "no", "unknown")
        row.close(
            by=self.cast.post("jifu"),
            version=row.version,
            satisfied=chance.one_of(words, number, "satisfied"),
        )

    # Checks of progress, platform

    def look(self, manner: str, day: date, subject: str, position: int) -> None:
        task = self.story.campaign.tasks.order_by("position")[position]
        units = [self.cast.unit(code) for code in CENTRES[:4]]
        log = WorkLog(
            kind=WorkLog.Kind.CHECK,
            manner=manner,
            day=day,
            subject=subject,
            host="基妇科科长",
            text="逐家了解进度，当场指出问题（示例）。",
            campaign=self.story.campaign,
            phase=task.phase,
            task=task,
        )
        work_logging.enter(log, by=self.cast.post("jifu"), units=units)

    def link(self) -> None:
        log = WorkLog(
            kind=WorkLog.Kind.PLATFORM,
            day=clock.today(),
            subject="家医签约平台启动和对接",
            host="基妇科科长",
            aspect="家医签约平台、健康驿站",
            text="参加省里视频会议，与平台工程师对接签约数据导入（示例）。",
        )
        units = [self.cast.unit(code) for code in CENTRES]
        work_logging.enter(log, by=self.cast.post("jifu"), units=units)

    # Surveys and the visits of pregnancy

    def survey(self) -> None:
        by = self.cast.post("jifu")
        midwives = [self.cast.unit(code) for code in MIDWIFERY]
        following.adopt(["孕产妇五次随访"], by=by, starts=date(2023, 1, 1), institutions=midwives)
        centres = [self.cast.unit(code) for code in CENTRES]
        following.adopt(["知晓率和满意度"], by=by, starts=date(2022, 7, 1), institutions=centres)
        content = Series.objects.get(code="ZM-MY")
        content.campaign, content.target = self.story.campaign, Decimal(90)
        following.save_series(content, by=by, institutions=centres)
        first = clock.today() + timedelta(days=1)
        periods = [Period(2022, 3), Period(2022, 4), *(Period(2023, n) for n in (1, 2, 3))]
        periods += [Period(2023, 0, month) for month in range(1, 11)]
        for period in periods:
            for code in MIDWIFERY if period.month else CENTRES:
                if code == MIDWIFERY[-1] and period.month == 10:
                    continue
                day = max(period.ends + timedelta(days=4), first)
                self.year.on(day, lambda c=code, p=period: self.fill(c, p))

    def fill(self, code: str, period: Period) -> None:
        unit = self.cast.unit(code)
        given: dict[int, tuple[Decimal, Decimal | None] | None] = {}
        kept = following.values_of(unit, period)
        for row in following.owed(unit, period):
            old = kept.get(row.pk)
            given[row.pk] = (old.numerator, old.denominator) if old else None
            if row.family in ("知晓率和满意度", "孕产妇五次随访"):
                asked = 100 if row.family == "知晓率和满意度" else 40
                percent = (
                    80 + (period.year - 2022) * 5 + chance.between(0, 9, code, row.code, period)
                )
                given[row.pk] = (Decimal(asked * percent // 100), Decimal(asked))
        following.fill(unit, period, given, by=self.cast.worker(unit))

    # The seven town and street offices

    def set_towns(self) -> None:
        by = self.cast.post("jifu")
        target = Target(
            bureau=by.institution,
            name="7个镇办完成国家卫生镇基础性检查验收",
            kind="coverage",
            unit="个",
            level="通过国家卫生镇基础性检查验收",
            starts=date(2021, 1, 1),
            due=date(2021, 12, 31),
            basis="周卫健字〔2021〕20号",
        )
        posts = [self.cast.post(name) for name in TOWNS]
        pursuing.save_target(target, by=by, institutions=[post.institution for post in posts])
        for number, name in enumerate(TOWNS[:6]):
            day = date(2021, 9, 6) + timedelta(days=14 * number)
            self.earlier.on(day, lambda n=name: self.passed(target, n))

    def passed(self, target: Target, name: str) -> None:
        by = self.cast.post(name)
        row = Contribution.objects.select_related("target", "institution", "supervisor").get(
            target=target, institution=by.institution
        )
        pursuing.save(
            row,
            by=by,
            version=row.version,
            value=None,
            per=None,
            reached_on=clock.today(),
            text="已通过基础性检查验收（示例）。",
        )
        row.report(by=by, version=row.version)
        self.earlier.after(2, lambda: row.confirm(by=self.cast.post("jifu"), version=row.version))
