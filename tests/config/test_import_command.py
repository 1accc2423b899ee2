"""`import_table` and `export_table`: exit 0 and done, or exit 1 with the reasons and nothing written."""

import getpass
import io
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Clause, Standard
from config.tables import KINDS
from institutions import audit
from institutions.models import Event, Institution, Population, User
from institutions.tables import UNKNOWN_INSTITUTION, Scope
from supervision.models import Problem, Rectification

TREE = "机构代码,机构名称,机构类别,上级机构代码,行政区划代码\nNEW,新卫生院,乡镇卫生院,ZC,370306\n"


@pytest.fixture
def run(tmp_path, capsys):
    """Return a function that runs a command on a file with this text: exit code, output, errors."""

    def call(command: str, kind: str, content: str | bytes | None, *args: str, name="表.csv"):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        capsys.readouterr()
        code = 0
        try:
            call_command(command, kind, str(path), *args)
        except SystemExit as stopped:
            code = stopped.code
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_a_file_is_imported_and_the_trail_names_the_command_line(world, run):
    code, out, err = run("import_table", "institutions", TREE, "--unit", "ZC")
    assert (code, err) == (0, "") and "新增 1 行" in out
    event = Event.objects.get(action="portal.import_institutions")
    assert event.who == f"命令行 {getpass.getuser()}" and event.post is None
    assert run("import_table", "institutions", TREE, "--unit", "ZC")[1].startswith("机构：没有变化")


def test_without_unit_the_only_top_bureau_speaks(world, run):
    assert run("import_table", "institutions", TREE)[0] == 0
    far = "机构代码,年度,常住人口\nZD-A,2023,5\n"
    assert run("import_table", "population", far)[0] == 0
    Institution(code="OTHER", name="另一局", kind="bureau").save()
    code, _, err = run("import_table", "population", far)
    assert code == 1 and "--unit" in err


def test_a_dry_run_writes_nothing(world, run):
    code, out, _ = run("import_table", "institutions", TREE, "--unit", "ZC", "--dry-run")
    assert code == 0 and "没有写入" in out
    assert not Institution.objects.filter(code="NEW").exists() and not Event.objects.exists()


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("population", "机构代码,年度,常住人口\nZC,2023,1\n", "--unit", "NO"), "没有机构代码"),
        (("nothing", "a\n1\n"), "没有“nothing”这种表"),
        (("population", "x\n1\n"), "表头不符"),
        (("population", None), "打不开"),
    ],
)
def test_a_refusal_is_exit_1_with_the_reason_on_standard_error(world, run, args, reason):
    code, out, err = run("import_table", *args)
    assert code == 1 and out == "" and reason in err
    assert not Event.objects.exists()


def test_every_bad_row_is_on_standard_error(world, run):
    text = "机构代码,年度,常住人口\nZD-A,2023,1\nZC-QNL,2023,1\nZC-QNL,23,x\n"
    code, _, err = run("import_table", "population", text, "--unit", "ZC")
    assert code == 1 and not Population.objects.exists()
    assert f"第2行 “机构代码” “ZD-A”：{UNKNOWN_INSTITUTION}" in err
    assert "第4行 “年度” “23”" in err and "第4行 “常住人口” “x”" in err


@pytest.mark.parametrize(
    ("who", "unit", "code"),
    [
        ("officer", "ZC", 0),
        ("OFFICER", "ZC", 0),
        ("officer", "ZB", 1),
        ("officer", "ZD", 1),
        ("finance", "ZC", 1),
        ("staff", "ZC-QNL", 1),
        ("disabled", "ZC", 1),
        ("departed", "ZC", 1),
        ("nobody", "ZC", 1),
    ],
)
def test_as_somebody_needs_a_post_at_the_unit_that_may_import(world, run, who, unit, code):
    text = "机构代码,年度,常住人口\nZC-QNL,2023,1\n"
    unit_text = text if unit.startswith("ZC") else text.replace("ZC-QNL", "ZD-A")
    assert run("import_table", "population", unit_text, "--unit", unit, "--as", who)[0] == code
    if code == 0:
        assert Event.objects.get(action="portal.import_population").post == world.posts.officer


@pytest.mark.parametrize("name", ["出.csv", "出.xlsx"])
@pytest.mark.parametrize("kind", ["institutions", "population", "users", "standard", "problems"])
def test_an_export_is_imported_as_unchanged(world, run, tmp_path, kind, name):
    bring_everything(run)
    code, out, err = run("export_table", kind, None, "--unit", "ZC", name=name)
    assert (code, err) == (0, "")
    code, out, err = run("import_table", kind, None, "--unit", "ZC", name=name)
    assert code == 0 and "没有变化" in out, err


def test_an_export_refuses_other_files_and_leaves_no_half_one(world, run, tmp_path):
    assert run("export_table", "population", None, name="x.txt")[0] == 1
    assert run("export_table", "nothing", None)[0] == 1
    assert list(tmp_path.glob("*.part")) == []


# --- standard -------------------------------------------------------------------------------------------

HEAD = (
    "标准代码,年度,标准名称,用途,适用机构类别,条款代码,上级条款代码,服务项目,条款名称,评分方法,"
    "满分,目标值,下限值,分档,扣分单位,允许倒扣,核心条款\n"
)


def clause(
    line: str, code: str = "S1", head: str = "2023,示例标准,,乡镇卫生院;社区卫生服务中心"
) -> str:
    return f"{code},{head},{line}\n"


STANDARD = (
    HEAD
    + clause("B1,B,,老年人健康管理率,达标折算,6,62%,40%,,,,是")
    + clause("A,,,组织管理,手工,4,,,,,,")
    + clause("A1,A,,成立组织,是否,1.5,,,,,,")
    + clause("A2,A,02,讲座次数,分档,2.5,,,≥12:2.5;≥6:1,,,")
    + clause("B,,老年人健康管理,项目执行,手工,6,,,,,,")
)


def bring_everything(run) -> None:
    for kind, text in (
        ("population", "机构代码,年度,常住人口\nZC-QNL,2023,30000\n"),
        (
            "users",
            "用户名,姓名,职务,角色,机构代码,科室,手机号,分管项目\nn1,甲,医,机构人员,ZC-QNL,公卫科,,02;06\n",
        ),
        ("standard", STANDARD),
        ("problems", PROBLEMS),
    ):
        code, _, err = run("import_table", kind, text, "--unit", "ZC")
        assert code == 0, err


def test_a_standard_is_published_with_its_tree(world, run):
    code, _out, err = run("import_table", "standard", STANDARD, "--unit", "ZC")
    assert code == 0, err
    standard = Standard.objects.get(code="S1")
    assert standard.status == "published" and standard.full_marks == Decimal(10)
    assert standard.bureau == world.county and standard.purpose == "quarterly"
    leaf = Clause.objects.get(code="B1")
    assert leaf.parent.code == "B" and leaf.depth == 2 and leaf.core and leaf.is_leaf
    assert leaf.item.code == "06" and leaf.rule.target == Decimal("0.62")
    assert not leaf.parent.is_leaf and leaf.parent.full_marks == 6
    assert "没有变化" in run("import_table", "standard", STANDARD, "--unit", "ZC")[1]


def test_a_published_standard_is_never_changed(world, run):
    run("import_table", "standard", STANDARD, "--unit", "ZC")
    other = STANDARD.replace("62%", "70%")
    code, _, err = run("import_table", "standard", other, "--unit", "ZC")
    assert code == 1 and "第2行" in err and "新版次" in err
    assert Clause.objects.get(code="B1").target == "62%"


def test_a_draft_edition_is_filled_and_replaces_the_published_one(world, run):
    run("import_table", "standard", STANDARD, "--unit", "ZC")
    draft = Standard.objects.create(
        bureau=world.county, code="S1", year=2023, edition=2, name="草稿"
    )
    Clause.objects.create(standard=draft, code="OLD", position=1, name="旧", full_marks=1)
    other = STANDARD.replace("62%", "70%")
    code, out, err = run("import_table", "standard", other, "--unit", "ZC")
    assert code == 0 and "OLD" in out, err
    draft.refresh_from_db()
    assert draft.status == "published" and draft.name == "示例标准"
    assert sorted(draft.clauses.values_list("code", flat=True)) == ["A", "A1", "A2", "B", "B1"]
    assert Standard.objects.get(code="S1", edition=1).status == "replaced"


def test_a_county_does_not_copy_what_the_city_has_published(world, run):
    run("import_table", "standard", STANDARD, "--unit", "ZB")
    assert "没有变化" in run("import_table", "standard", STANDARD, "--unit", "ZC")[1]
    assert run("import_table", "standard", STANDARD.replace("62%", "70%"), "--unit", "ZC")[0] == 1
    assert Standard.objects.count() == 1


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("X,NO,,名,手工,1,,,,,,", "上级条款代码", "没有这个条款"),
        ("X,X,,名,手工,1,,,,,,", "上级条款代码", "成了环"),
        ("X,,,名,手工,0,,,,,,", "满分", "满分必须大于 0"),
        ("X,,,名,手工,1.005,,,,,,", "满分", "小数位超限"),
        ("X,,,名,达标折算,1,,,,,,", "目标值", "没有填写目标值"),
        ("X,,,名,达标折算,1,0.9,,,,,", "目标值", "90%"),
        ("X,,,名,达标折算,1,90%,95%,,,,", "目标值", "不能高于目标值"),
        ("X,,,名,反向折算,1,5%,1%,,,,", "目标值", "不能低于目标值"),
        ("X,,,名,分档,1,,,≥90%:2,,,", "满分", "不在 0 到满分"),
        ("X,,,名,分档,1,,,九成,,,", "分档", "读不懂"),
        ("X,,,名,扣分,1,,,,,,", "扣分单位", "没有填写扣分单位"),
        ("X,,,名,手工,1,,,,,是,", "允许倒扣", "只有扣分可以允许倒扣"),
        ("X,,,名,打分,1,,,,,,", "评分方法", "应为"),
        ("X,,13,名,手工,1,,,,,,", "服务项目", "没有这个服务项目"),
        ("A,,,名,手工,1,,,,,,", "标准代码", "重复"),
        ("X,A,,名,手工,1,,,,,,", "满分", "相差 1"),
        ("X,A1,,名,手工,1.5,,,,,,", "评分方法", "有下级条款"),
    ],
)
def test_a_bad_clause_is_named_and_nothing_is_written(world, line, column, reason):
    table = KINDS["standard"](Scope(world.county, audit.actor(None)))
    plan = table.plan(io.BytesIO((STANDARD + clause(line)).encode()), "a.csv")
    found = [(e.row, e.column, e.reason) for e in plan.errors]
    assert any(column == c and reason in why for _, c, why in found), found
    assert not plan.changes and not Standard.objects.exists()


def test_rows_of_one_standard_agree_about_it(world, run):
    text = STANDARD + clause("C,,,名,手工,1,,,,,,", head="2024,示例标准,专项,村卫生室")
    code, _, err = run("import_table", "standard", text, "--unit", "ZC")
    assert code == 1
    for header in ("年度", "用途", "适用机构类别"):
        assert f"第7行 “{header}”" in err


# --- problems -------------------------------------------------------------------------------------------

PROBLEMS = """来源,年度,机构代码,服务项目,条款代码,问题类别,严重程度,问题描述,发现日期,整改时限,责任人
省级,2023,ZC-QNL,老年人,B1,档案不规范,严重,体检表缺项,2023-03-31,2023/4/30,
市级,2023,ZC-QNL-1,,,,一般,公示栏未更新,2023年3月1日,2023.4.1,村医
"""


@pytest.mark.row("A09")
def test_problems_of_three_levels_become_duties_of_their_institutions(world, run):
    run("import_table", "standard", STANDARD, "--unit", "ZC")
    text = PROBLEMS + "区级,2022,ZC-WC,02,,,弄虚作假,讲座签到代签,2022-12-20,2023-03-31,\n"
    code, _out, err = run("import_table", "problems", text, "--unit", "ZC")
    assert code == 0, err
    first = Problem.objects.get(text="体检表缺项")
    assert (first.source, first.severity, first.item.code) == ("province", "major", "06")
    assert first.clause.code == "B1" and first.supervisor == world.county
    second = Rectification.objects.get(problem__text="公示栏未更新")
    assert second.institution == world.clinic and second.person == "村医"
    assert second.supervisor == world.centre and second.status == "assigned"
    assert "没有变化" in run("import_table", "problems", text, "--unit", "ZC")[1]
    assert Problem.objects.get(source="county").rectification.status == "assigned"
    assert Problem.objects.count() == 3


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("乡级,2023,ZC-QNL,,,,一般,甲,2023-03-31,2023-04-30,", "来源", "应为"),
        ("省级,2023,ZD-A,,,,一般,甲,2023-03-31,2023-04-30,", "机构代码", UNKNOWN_INSTITUTION),
        ("省级,2023,NONE,,,,一般,甲,2023-03-31,2023-04-30,", "机构代码", UNKNOWN_INSTITUTION),
        ("省级,2023,ZC,,,,一般,甲,2023-03-31,2023-04-30,", "机构代码", "不能交办给"),
        ("省级,2023,ZC-QNL,,B1,,一般,甲,2023-03-31,2023-04-30,", "条款代码", "没有这个条款"),
        (
            "省级,2023,ZC-QNL,,,,很严重,甲,2023-03-31,2023-04-30,",
            "严重程度",
            "一般、严重、弄虚作假",
        ),
        ("省级,2023,ZC-QNL,,,,一般,甲,2099-03-31,2099-04-30,", "发现日期", "不能晚于今天"),
        ("省级,2023,ZC-QNL,,,,一般,甲,2023-03-31,2023-03-30,", "整改时限", "不能早于发现日期"),
        ("省级,2023,ZC-QNL,,,,一般,甲,3/1/2023,2023-04-30,", "发现日期", "不是有效日期"),
        ("省级,2023,ZC-QNL,,,,一般,,2023-03-31,2023-04-30,", "问题描述", "不能为空"),
        ("市级,2023,ZC-QNL-1,,,,一般,公示栏未更新,2023-03-31,2023-04-30,", "机构代码", "重复"),
    ],
)
def test_a_bad_problem_is_named_and_nothing_is_written(world, run, line, column, reason):
    text = PROBLEMS.replace(",B1,", ",,") + line + "\n"
    code, _, err = run("import_table", "problems", text, "--unit", "ZC")
    assert code == 1 and not Problem.objects.exists()
    assert f"第4行 “{column}”" in err and reason in err


def test_a_clause_that_two_standards_share_is_not_guessed_at(world, run):
    run("import_table", "standard", STANDARD, "--unit", "ZC")
    run("import_table", "standard", STANDARD.replace("S1,", "S2,"), "--unit", "ZC")
    code, _, err = run("import_table", "problems", PROBLEMS, "--unit", "ZC")
    assert code == 1 and "无法确定是哪一个" in err


def test_formulas_are_stored_as_words_and_leave_guarded(world, run, tmp_path):
    text = PROBLEMS.replace(",B1,", ",,").replace("体检表缺项", "=cmd|'/c calc'!A1")
    assert run("import_table", "problems", text, "--unit", "ZC")[0] == 0
    assert Problem.objects.filter(text="=cmd|'/c calc'!A1").exists()
    run("export_table", "problems", None, "--unit", "ZC", name="出.csv")
    assert "'=cmd" in (tmp_path / "出.csv").read_text("utf-8-sig")
    assert "没有变化" in run("import_table", "problems", None, "--unit", "ZC", name="出.csv")[1]


def _standard(first: int, last: int) -> str:
    lines = [clause(f"L{i},,,名,手工,1,,,,,,", code=f"T{first}") for i in range(first, last)]
    return HEAD + "".join(lines)


def _problems(first: int, last: int) -> str:
    lines = [
        f"省级,2023,ZC-QNL,,,,一般,问题{i},2023-03-31,2023-04-30,\n" for i in range(first, last)
    ]
    return PROBLEMS.splitlines()[0] + "\n" + "".join(lines)


@pytest.mark.parametrize("kind", ["standard", "problems"])
def test_twice_the_rows_take_the_same_statements(world, run, kind):
    make = {"standard": _standard, "problems": _problems}[kind]
    counts = []
    for first, last in ((0, 5), (5, 15), (15, 35)):
        with CaptureQueriesContext(connection) as queries:
            code, _, err = run("import_table", kind, make(first, last), "--unit", "ZC")
        assert code == 0, err
        counts.append(len(queries))
    assert counts[1] == counts[2]


def test_a_new_login_cannot_be_used_before_it_is_activated(world, run):
    text = "用户名,姓名,职务,角色,机构代码\nnew1,新医生,医生,机构人员,ZC-QNL\n"
    assert run("import_table", "users", text, "--unit", "ZC")[0] == 0
    user = User.objects.get(username="new1")
    assert not user.has_usable_password() and user.post.institution == world.centre
