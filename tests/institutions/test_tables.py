"""The tables of this floor: what a good file writes, what a bad one is told, and that both happen in sets."""

import io
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from institutions import audit
from institutions.models import Event, Institution, Population, Post, Region, User
from institutions.sheets import Refusal, write_csv, write_xlsx
from institutions.tables import TABLES, UNKNOWN_INSTITUTION, Scope, Table

KINDS = {table.kind: table for table in TABLES}
NOBODY = audit.actor(None, name="命令行（test）")


def csv(text: str) -> io.BytesIO:
    return io.BytesIO(text.strip().encode() + b"\n")


def check(kind: str, file: str | io.BytesIO, scope: Scope, name: str = "表.csv"):
    table = KINDS[kind](scope)
    return table, table.plan(csv(file) if isinstance(file, str) else file, name)


def bring(kind: str, file: str | io.BytesIO, scope: Scope, name: str = "表.csv"):
    table, plan = check(kind, file, scope, name)
    assert plan.ok, [str(e) for e in plan.errors]
    table.commit(plan)
    return plan


def of_county(world) -> Scope:
    return Scope(world.county, NOBODY)


def exported(table: Table, year: int | None = None) -> bytes:
    return b"".join(write_csv(table.export(year), table.headers()))


# --- institutions ---------------------------------------------------------------------------------------

TREE = """
机构代码,机构名称,机构类别,上级机构代码,行政区划代码,其他名称,兼任类别,隶属,助产机构,启用日期
N-1-1,新村卫生室,村卫生室,N-1,370306,,,,,
N-1,新建卫生院,乡镇卫生院,N,370306,城北中心、示例中心,医院,镇,是,2015年1月1日
N,新区卫生健康局,卫生健康行政部门,ZC,370306,,,区,否,
"""


def test_children_may_stand_before_their_parents_and_get_path_and_bureau(world):
    plan = bring("institutions", TREE, of_county(world))
    assert str(plan) == "新增 3 行，修改 0 行，没有变化 0 行"
    bureau, centre, clinic = (Institution.objects.get(code=c) for c in ("N", "N-1", "N-1-1"))
    assert bureau.path == "ZB/ZC/N/" and bureau.bureau == bureau and bureau.parent == world.county
    assert clinic.path == "ZB/ZC/N/N-1/N-1-1/" and clinic.bureau == bureau
    assert centre.other_names == ["城北中心", "示例中心"] and centre.also_kinds == ["hospital"]
    assert centre.midwifery and centre.opened == date(2015, 1, 1) and centre.affiliation == "town"
    assert "xjwsy" in centre.search


@pytest.mark.django_db
def test_an_empty_database_gets_its_top_bureau_without_any_unit():
    Region.objects.get_or_create(code="370306", defaults={"name": "示例区", "level": 3})
    text = TREE.replace(
        "N,新区卫生健康局,卫生健康行政部门,ZC", "N,新区卫生健康局,卫生健康行政部门,"
    )
    bring("institutions", text, Scope(None, NOBODY))
    top = Institution.objects.get(code="N")
    assert top.parent is None and top.bureau == top and top.path == "N/"
    assert Institution.objects.get(code="N-1-1").bureau == top
    assert Event.objects.get(action="portal.import_institutions").bureau == top


def test_the_same_file_again_changes_nothing_and_leaves_no_event(world):
    bring("institutions", TREE, of_county(world))
    before = Event.objects.count()
    plan = bring("institutions", TREE, of_county(world))
    assert str(plan) == "没有变化（3 行与现有数据一致）"
    assert Event.objects.count() == before


def test_a_moved_parent_takes_its_subtree_along_in_sets(world):
    bring("institutions", TREE, of_county(world))
    text = "机构代码,机构名称,机构类别,上级机构代码,行政区划代码\n"
    moved = text + "ZC-QNL,青年路社区卫生服务中心,社区卫生服务中心,N,370306901\n"
    plan = bring("institutions", moved, of_county(world))
    assert plan.changed[0].diffs == [("上级机构代码", "ZC", "N")]
    clinic = Institution.objects.get(code="ZC-QNL-1")
    assert clinic.path == "ZB/ZC/N/ZC-QNL/ZC-QNL-1/" and clinic.bureau.code == "N"
    back = text + "ZC-QNL,青年路社区卫生服务中心,社区卫生服务中心,ZC,370306901\n"
    bring("institutions", back, of_county(world))
    clinic.refresh_from_db()
    assert clinic.path == "ZB/ZC/ZC-QNL/ZC-QNL-1/" and clinic.bureau == world.county


def test_a_bureau_demoted_hands_its_children_to_the_bureau_above(world):
    bring("institutions", TREE, of_county(world))
    text = "机构代码,机构名称,机构类别,上级机构代码,行政区划代码\nN,新区,医院,ZC,370306\n"
    bring("institutions", text, of_county(world))
    assert Institution.objects.get(code="N-1-1").bureau == world.county


INSTITUTION_FAULTS = [
    ("A,甲,卫生院,ZC,370306", "机构类别", "应为"),
    ("A,甲,乡镇卫生院,ZC,370306002", "行政区划代码", "没有登记这个镇街"),
    ("A,甲,乡镇卫生院,ZC,999999", "行政区划代码", "没有这个行政区划"),
    ("A,甲,乡镇卫生院,ZC,37030", "行政区划代码", "6、9 或 12 位"),
    ("A,甲,乡镇卫生院,NOPE,370306", "上级机构代码", UNKNOWN_INSTITUTION),
    ("A,甲,乡镇卫生院,ZD,370306", "上级机构代码", UNKNOWN_INSTITUTION),
    ("A,甲,乡镇卫生院,A,370306", "上级机构代码", "不能是本机构"),
    ("A,甲,乡镇卫生院,,370306", "上级机构代码", "不能为空"),
    ("A,甲,村卫生室,ZC-QNL-1,370306", "上级机构代码", "不能是上级机构"),
    ("A,甲,卫生健康行政部门,ZC-QNL,370306", "上级机构代码", "也应是卫生健康行政部门"),
    ("A/1,甲,乡镇卫生院,ZC,370306", "机构代码", "代码只能用"),
    ("A,甲\u200b,乡镇卫生院,ZC,370306", "机构名称", "控制字符"),
    ("A,,乡镇卫生院,ZC,370306", "机构名称", "不能为空"),
    ("ZD-A,邻区卫生院,乡镇卫生院,ZC,370306", "机构代码", "不能使用"),
    ("ZC,示例区卫生健康局,卫生健康行政部门,ZD,370306", "上级机构代码", "不在这里调整"),
    ("ZC-QNL,青年路社区卫生服务中心,村卫生室,ZC,370306", "机构类别", "已有下级机构"),
    ("ZC,示例区卫生健康局,医院,ZB,370306", "机构类别", "现有任职不符"),
    ("ZC-WC,王村镇中心卫生院,乡镇卫生院,ZC-WC-1,370306", "上级机构代码", "成了环"),
]


@pytest.mark.parametrize(("line", "column", "reason"), INSTITUTION_FAULTS)
def test_a_bad_institution_is_named_and_nothing_is_written(world, line, column, reason):
    text = f"机构代码,机构名称,机构类别,上级机构代码,行政区划代码\nOK,好,医院,ZC,370306\n{line}\n"
    before = list(Institution.objects.order_by("pk").values())
    table, plan = check("institutions", text, of_county(world))
    found = [(e.row, e.column, e.reason) for e in plan.errors]
    assert any(r == 3 and c == column and reason in why for r, c, why in found), found
    with pytest.raises(Refusal):
        table.commit(plan)
    assert list(Institution.objects.order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("extra", "column", "reason"),
    [
        ("统一社会信用代码,91370306MA3XXXXX1X", "统一社会信用代码", "统一社会信用代码"),
        ("医疗机构登记号,123", "医疗机构登记号", "22 位"),
        ("隶属,国家", "隶属", "省、市、区、镇、社会办"),
        ("助产机构,Y", "助产机构", "是或否"),
        ("启用日期,3/1/2026", "启用日期", "不是有效日期"),
        ("启用日期,2026-02-30", "启用日期", "不是有效日期"),
        ("启用日期,9999-12-31", "启用日期", "2100"),
        ("兼任类别,医院;医院", "兼任类别", "重复"),
        ("兼任类别,乡镇卫生院", "兼任类别", "与机构类别相同"),
    ],
)
def test_a_bad_detail_of_an_institution_is_named(world, extra, column, reason):
    header, value = extra.split(",")
    text = f"机构代码,机构名称,机构类别,上级机构代码,行政区划代码,{header}\n"
    _, plan = check("institutions", text + f"A,甲,乡镇卫生院,ZC,370306,{value}\n", of_county(world))
    assert [(e.row, e.column) for e in plan.errors] == [(2, column)]
    assert reason in plan.errors[0].reason


def test_every_bad_row_is_named_at_once_and_a_ring_names_its_members(world):
    text = """
机构代码,机构名称,机构类别,上级机构代码,行政区划代码
A,甲,乡镇卫生院,B,370306
B,乙,乡镇卫生院,A,370306
C,丙,乡镇卫生院,ZC,12
E,丁,乡镇卫生院,ZC,370306
E,丁,乡镇卫生院,ZC,370306
D,戊,不知道,B,999999
"""
    _, plan = check("institutions", text, of_county(world))
    assert {error.row for error in plan.errors} == {2, 3, 4, 6, 7}
    assert "与第5行重复" in next(e for e in plan.errors if e.row == 6).reason
    assert {e.column for e in plan.errors if e.row == 7} == {"机构类别", "行政区划代码"}


def test_what_is_exported_comes_back_unchanged_as_csv_and_xlsx(world):
    bring("institutions", TREE, of_county(world))
    table = KINDS["institutions"](of_county(world))
    content = exported(table)
    assert not check("institutions", io.BytesIO(content), of_county(world))[1].changes
    book = io.BytesIO()
    write_xlsx(table.export(None), table.headers(), book, text=table.headers())
    plan = check("institutions", book, of_county(world), "表.xlsx")[1]
    assert plan.ok and not plan.changes and plan.unchanged == content.count(b"\r\n") - 1


def test_gb18030_and_rare_characters_arrive_as_written(world):
    text = TREE.replace("新村卫生室", "㐂𠮷村卫生室").strip() + "\n"
    plan = bring("institutions", io.BytesIO(text.encode("gb18030")), of_county(world))
    assert plan.ok and Institution.objects.get(code="N-1-1").name == "㐂𠮷村卫生室"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "空的"),
        ("机构代码,机构名称,机构类别,上级机构代码,行政区划代码\n", "没有数据"),
        ("机构代码,机构名称,机构类别,行政区划代码,id\nA,甲,医院,370306,1\n", "不认识的列“id”"),
        ("机构代码,机构名称,机构类别\nA,甲,医院\n", "缺少必填的列“行政区划代码”"),
        ("机构代码,机构代码,机构名称,机构类别,行政区划代码\nA,A,甲,医院,370306\n", "重复的列"),
        ("机构代码,机构名称,机构类别,行政区划代码,path\nA,甲,医院,370306,x\n", "不认识的列“path”"),
    ],
)
def test_a_file_with_a_wrong_head_is_refused_whole(world, text, reason):
    with pytest.raises(Refusal, match=reason):
        check("institutions", io.BytesIO(text.encode()), of_county(world))


# --- population -----------------------------------------------------------------------------------------

PEOPLE = """
机构代码,年度,常住人口,孕产妇
ZC-QNL,2023,30000,120
ZC-WC,2023,２００００,
"""


def test_population_is_inserted_updated_and_left_alone(world):
    bring("population", PEOPLE, of_county(world))
    plan = bring("population", PEOPLE.replace("30000", "31000"), of_county(world))
    assert plan.changed[0].diffs == [("常住人口", "30000", "31000")] and plan.unchanged == 1
    rows = Population.objects.order_by("residents").values_list("residents", "pregnant")
    assert list(rows) == [(20000, None), (31000, 120)]


def test_a_column_that_is_missing_leaves_what_is_there_and_an_empty_cell_empties_it(world):
    bring("population", PEOPLE, of_county(world))
    bring("population", "机构代码,年度,常住人口\nZC-QNL,2023,1\n", of_county(world))
    assert Population.objects.get(residents=1).pregnant == 120
    bring("population", "机构代码,年度,常住人口,孕产妇\nZC-QNL,2023,1,\n", of_county(world))
    assert Population.objects.get(residents=1).pregnant is None


@pytest.mark.parametrize(
    "value",
    [
        "-1",
        "-0",
        "1.5",
        "1e3",
        "NaN",
        "inf",
        "1,000",
        "一百",
        "٣",
        "Ⅻ",
        "85%",
        "99999999999999999999",
        "3000000000",
        "=1+1",
        "+1",
        "@x",
    ],
)
def test_a_hostile_number_is_a_bad_cell(world, value):
    text = f'机构代码,年度,常住人口\nZC-QNL,2023,"{value}"\n'
    _, plan = check("population", text, of_county(world))
    assert [(e.row, e.column) for e in plan.errors] == [(2, "常住人口")]


def test_an_institution_of_others_is_answered_like_an_unknown_one(world):
    centre = Scope.of(world.posts.head)
    text = "机构代码,年度,常住人口\nZD-A,2023,1\nNO-SUCH,2023,1\nZC-WC-1,2023,1\nZC-QNL-1,2023,1\n"
    _, plan = check("population", text, centre)
    assert [(e.row, e.reason) for e in plan.errors] == [(r, UNKNOWN_INSTITUTION) for r in (2, 3, 4)]


def test_two_rows_of_one_key_name_each_other(world):
    _, plan = check("population", PEOPLE + "ZC-QNL,2023,5,\n", of_county(world))
    assert [str(e) for e in plan.errors] == [
        "第4行 “机构代码” “ZC-QNL”：与第2行重复（机构代码、年度相同）"
    ]


def test_what_changed_between_check_and_writing_is_not_overwritten(world):
    table, plan = check("population", PEOPLE, of_county(world))
    Population.objects.create(institution=world.centre, year=2023, residents=7)
    with pytest.raises(Refusal, match="有了变化"):
        table.commit(plan)
    assert Population.objects.get().residents == 7


def test_one_event_tells_of_the_whole_file(world):
    plan = bring("population", PEOPLE, Scope.of(world.posts.officer))
    event = Event.objects.get(action="portal.import_population")
    assert event.post == world.posts.officer and event.bureau == world.county
    assert event.data["sha256"] == plan.sha256 and event.data["new"] == 2
    assert event.data["digest"] == plan.digest and not list(audit.verify())


# --- users ----------------------------------------------------------------------------------------------

PEOPLE_AT_WORK = """
用户名,姓名,职务,角色,机构代码,科室,手机号,分管项目
zcjk,疾控牵头人,结核科长,条线牵头,ZC-CDC,结核科,13800000000,肺结核患者健康管理；10
zcjk,疾控牵头人,督导组员,督导专家,ZC-RM,,,
zcys,新村医,村医,机构负责人,ZC-QNL-1,,,
"""


def test_one_person_gets_several_posts_and_no_password(world):
    bring("users", PEOPLE_AT_WORK, of_county(world))
    user = User.objects.get(username="zcjk")
    assert not user.has_usable_password() and user.phone == "13800000000"
    lead = user.posts.get(role="lead")
    assert [i.code for i in lead.items.order_by("code")] == ["09", "10"]
    assert lead.department.name == "结核科" and user.posts.count() == 2
    assert lead in Post.objects.in_office()
    assert not check("users", PEOPLE_AT_WORK, of_county(world))[1].changes


def test_changes_of_role_items_and_name_are_shown_and_made(world):
    bring("users", PEOPLE_AT_WORK, of_county(world))
    text = PEOPLE_AT_WORK.replace("疾控牵头人", "结核牵头人").replace("肺结核患者健康管理；10", "9")
    _, plan = check("users", text, of_county(world))
    assert "是否应为“09”" in plan.errors[0].reason
    plan = bring("users", text.replace(",9\n", ",09\n"), of_county(world))
    assert ("分管项目", "09;10", "09") in plan.changed[0].diffs
    user = User.objects.get(username="zcjk")
    assert user.name == "结核牵头人"
    assert [i.code for i in user.posts.get(role="lead").items.all()] == ["09"]


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("a b,甲,村医,机构人员,ZC-QNL,,", "用户名", "代码"),
        ("zcys,甲,村医,机构人员,ZC-QNL,,", "姓名", "与第2行同一用户名的姓名不同"),
        ("x1,甲,村医,局科室,ZC-QNL,,", "角色", "只能设在卫生健康行政部门"),
        ("x1,甲,村医,院长,ZC-QNL,,", "角色", "应为"),
        ("x1,甲,村医,机构人员,ZD-A,,", "机构代码", UNKNOWN_INSTITUTION),
        ("x1,甲,村医,机构人员,ZC-QNL,1380000,", "手机号", "11 位"),
        ("x1,甲,村医,机构人员,ZC-QNL,,外星人管理", "分管项目", "没有这个服务项目"),
        ("x1,甲,村医,机构人员,ZC-QNL,,02;健康教育", "分管项目", "写了两次"),
        ("farhead,邻区院长,村医,机构人员,ZC-QNL,,", "用户名", "不能使用"),
        ("FarHead,邻区院长,村医,机构人员,ZC-QNL,,", "用户名", "不能使用"),
        ("auditor,审计员,经办,局科室,ZC,,", "角色", "不能兼任"),
    ],
)
def test_a_bad_user_is_named_and_nothing_is_written(world, line, column, reason):
    head = (
        "用户名,姓名,职务,角色,机构代码,手机号,分管项目\nzcys,新村医,村医,机构负责人,ZC-QNL-1,,\n"
    )
    before = (User.objects.count(), Post.objects.count())
    _, plan = check("users", head + line + "\n", of_county(world))
    found = [(e.row, e.column, e.reason) for e in plan.errors]
    assert any(r == 3 and c == column and reason in why for r, c, why in found), found
    assert (User.objects.count(), Post.objects.count()) == before


def test_a_wrong_number_is_not_repeated_in_full(world):
    text = "用户名,姓名,职务,角色,机构代码,手机号\nx,甲,医,机构人员,ZC-QNL,1390000111\n"
    _, plan = check("users", text, of_county(world))
    assert "1390000111" not in str(plan.errors[0])


def test_a_centre_gives_only_ranks_below_its_head_and_nobody_manages_himself(world):
    head = "用户名,姓名,职务,角色,机构代码\n"
    by = Scope.of(world.posts.head)
    bring(
        "users", head + "n1,村医甲,村医,机构负责人,ZC-QNL-1\nn2,医生乙,经办,机构人员,ZC-QNL\n", by
    )
    for line in (
        "n3,主任丙,副主任,机构负责人,ZC-QNL",
        "n4,丁,牵头,条线牵头,ZC-QNL",
        "head,中心主任,中心主任,机构人员,ZC-QNL",
    ):
        _, plan = check("users", head + line + "\n", by)
        assert [e.row for e in plan.errors][:1] == [2], line


def test_users_come_back_unchanged_from_their_own_export(world):
    bring("users", PEOPLE_AT_WORK, of_county(world))
    content = exported(KINDS["users"](of_county(world)))
    plan = check("users", io.BytesIO(content), of_county(world))[1]
    assert plan.ok and not plan.changes


# --- cost -----------------------------------------------------------------------------------------------


def _institutions(first: int, last: int) -> str:
    lines = [f"L{i},站{i},村卫生室,ZC-WC,370306" for i in range(first, last)]
    return "\n".join(["机构代码,机构名称,机构类别,上级机构代码,行政区划代码", *lines])


def _population(first: int, last: int) -> str:
    return "\n".join(["机构代码,年度,常住人口", *[f"L{i},2023,{i}" for i in range(first, last)]])


def _users(first: int, last: int) -> str:
    lines = [f"l{i},村医,村医,机构负责人,L{i},公卫科,02" for i in range(first, last)]
    return "\n".join(["用户名,姓名,职务,角色,机构代码,科室,分管项目", *lines])


@pytest.mark.parametrize("kind", ["institutions", "population", "users"])
def test_twice_the_rows_take_the_same_statements(world, kind):
    if kind != "institutions":
        bring("institutions", _institutions(0, 70), of_county(world))
    make = {"institutions": _institutions, "population": _population, "users": _users}[kind]
    counts = []
    for first, last in ((0, 10), (10, 30), (30, 70)):  # the first warms up the chain of events
        table, plan = check(kind, make(first, last), of_county(world))
        with CaptureQueriesContext(connection) as writing:
            table.commit(plan)
        with CaptureQueriesContext(connection) as again:
            assert check(kind, make(first, last), of_county(world))[1].unchanged == last - first
        counts.append((len(writing), len(again)))
    assert counts[1] == counts[2] and max(counts[2]) < 25
