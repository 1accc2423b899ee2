"""The import page: upload, see every error or every change, confirm once; nobody else's file."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from config.tables import KINDS
from institutions import clock, jobs
from institutions.models import Event, Job, Population, StoredFile
from institutions.sheets import read_sheet

PEOPLE = "机构代码,年度,常住人口\nZC-QNL,2023,30000\nZC-WC,2023,20000\n"


def upload(client, text: str | bytes, kind: str = "population", name: str = "人口.csv"):
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("import_stage"), {"kind": kind, "file": file})


def staged(client, text: str | bytes, **more) -> Job:
    answer = upload(client, text, **more)
    assert answer.status_code == 302, answer.content.decode()
    return Job.objects.latest("pk")


def confirm(client, job: Job, **data):
    return client.post(reverse("import_confirm", args=[job.pk]), data, follow=True)


def test_a_good_file_is_shown_first_and_written_on_confirmation(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    page = client.get(job.get_absolute_url()).content.decode()
    assert job.state == "staged" and not Population.objects.exists()
    assert "新增 2 行" in page and "30000" in page and "确认导入" in page
    assert "导入完成：新增 2 行" in confirm(client, job).content.decode()
    assert Population.objects.count() == 2
    event = Event.objects.get(action="portal.import_population")
    assert event.post == world.posts.officer and event.address == "127.0.0.1"


def test_a_second_confirmation_imports_nothing(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    confirm(client, job)
    Population.objects.all().delete()
    assert "没有重复导入" in confirm(client, job).content.decode()
    assert not Population.objects.exists()
    assert Event.objects.filter(action="portal.import_population").count() == 1


def test_a_bad_file_names_every_cell_and_cannot_be_confirmed(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE + "ZD-A,2023,1\nZC-RM,23,-5\n")
    page = client.get(job.get_absolute_url()).content.decode()
    assert job.state == "failed" and "需要改正的 3 处" in page and "确认导入" not in page
    assert page.count("第 4 行") == 1 and page.count("第 5 行") == 2
    assert "没有这个机构，或不在本单位管辖范围内" in page
    confirm(client, job)
    assert not Population.objects.exists()
    event = Event.objects.get(action="portal.import_refused")
    assert event.post == world.posts.officer


def test_the_list_of_errors_can_be_downloaded_whole(world, log_in):
    client = log_in(world.posts.officer)
    lines = "".join(f"NONE-{i},2023,x\n" for i in range(150))
    job = staged(client, "机构代码,年度,常住人口\n" + lines)
    page = client.get(job.get_absolute_url()).content.decode()
    assert "需要改正的 300 处（显示前 200 处）" in page
    answer = client.get(reverse("import_errors", args=[job.pk]))
    rows = list(read_sheet(io.BytesIO(b"".join(answer.streaming_content)), "a.csv").rows)
    assert len(rows) == 300 and rows[0].cells["列"] == "机构代码"


def test_what_another_post_staged_is_not_there(world, log_in):
    client = log_in(world.posts.officer)
    good, bad = staged(client, PEOPLE), staged(client, "机构代码,年度,常住人口\nX,1,1\n")
    for other in (world.posts.second_officer, world.posts.far_officer, world.posts.system):
        client = log_in(other)
        assert client.get(reverse("import_detail", args=[good.pk])).status_code == 404
        assert client.get(reverse("import_errors", args=[bad.pk])).status_code == 404
        assert client.post(reverse("import_confirm", args=[good.pk])).status_code == 404
        assert client.post(reverse("import_drop", args=[good.pk])).status_code == 404
    good.refresh_from_db()
    assert good.state == "staged" and not Population.objects.exists()


def test_overwriting_needs_a_tick(world, log_in):
    client = log_in(world.posts.officer)
    confirm(client, staged(client, PEOPLE))
    job = staged(client, PEOPLE.replace("30000", "31000"))
    page = client.get(job.get_absolute_url()).content.decode()
    assert "30000 → <strong>31000</strong>" in page and "没有变化 1 行" in page
    assert "请先勾选" in confirm(client, job).content.decode()
    confirm(client, job, overwrite="1")
    assert Population.objects.filter(residents=31000).exists()


def test_the_same_file_again_has_nothing_to_confirm(world, log_in):
    client = log_in(world.posts.officer)
    confirm(client, staged(client, PEOPLE))
    job = staged(client, PEOPLE)
    page = client.get(job.get_absolute_url()).content.decode()
    assert "没有变化" in page and "确认导入" not in page


def test_what_changed_after_the_check_is_shown_again_instead_of_overwritten(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    Population.objects.create(institution=world.centre, year=2023, residents=7)
    assert "又有了变化" in confirm(client, job).content.decode()
    assert Population.objects.get().residents == 7
    job.refresh_from_db()
    assert job.state == "staged" and job.report["修改"] == 1
    confirm(client, job, overwrite="1")
    assert Population.objects.count() == 2


def test_a_day_later_it_cannot_be_confirmed_and_the_upload_is_forgotten(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    Job.objects.filter(pk=job.pk).update(created_at=clock.now() - timedelta(days=1, minutes=1))
    assert "超过一天" in client.get(job.get_absolute_url()).content.decode()
    confirm(client, job)
    assert not Population.objects.exists()
    assert jobs.expire() == 1
    job.refresh_from_db()
    assert job.state == "dropped" and job.source is None


def test_a_dropped_file_is_forgotten(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    client.post(reverse("import_drop", args=[job.pk]))
    confirm(client, job)
    job.refresh_from_db()
    assert job.state == "dropped" and job.source is None and not Population.objects.exists()


def test_a_post_that_has_left_office_can_no_longer_confirm_through_the_worker(world, log_in):
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    world.posts.officer.user.is_active = False
    world.posts.officer.user.save()
    params = {**job.params, "confirmed": job.report["plan"][0]}
    Job.objects.filter(pk=job.pk).update(state="queued", params=params)
    jobs.perform(job.pk)
    job.refresh_from_db()
    assert job.state == "failed" and not Population.objects.exists()


def test_the_bytes_are_kept_as_they_came(world, log_in):
    client = log_in(world.posts.officer)
    content = PEOPLE.encode("gb18030")
    job = staged(client, content)
    assert job.state == "staged" and job.source.path.read_bytes() == content
    assert StoredFile.objects.get(pk=job.source_id).uploader == world.posts.officer


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("人口.xls", b"x", "请选择 .xlsx 或 .csv"),
        ("人口.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "旧版 Excel"),
        ("人口.csv", b"", "空"),
        ("人口.csv", "机构代码,年度,常住人口\n".encode(), "没有数据"),
        ("人口.csv", "机构代码,年度,常住人囗\nA,2023,1\n".encode(), "不认识的列"),
        ("人口.csv", b"\xff\xfe\x00\xd8\x00\x00", "编码"),
        ("人口.csv", "機構,資料\n甲,乙\n".encode("big5"), "编码"),
        ("人口.csv", "机构代码,年度,常住人口,id\nZC-QNL,2023,1,7\n".encode(), "id"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_whole(world, log_in, name, content, told):
    client = log_in(world.posts.officer)
    answer = upload(client, content, name=name)
    page = client.get(answer.url) if answer.status_code == 302 else answer
    assert page.status_code == 200 and told in page.content.decode()
    assert not Population.objects.exists()


def test_an_error_inside_leaves_a_number_and_no_trace(world, log_in, monkeypatch):
    client = log_in(world.posts.officer)

    def broken(self, rows):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(KINDS["population"], "check_all", broken)
    job = staged(client, PEOPLE)
    page = client.get(job.get_absolute_url()).content.decode()
    assert job.report["编号"] in page and "secret detail" not in page and job.state == "failed"


def test_a_large_file_goes_to_the_worker(world, log_in, settings, monkeypatch):
    handed = []
    monkeypatch.setattr("institutions.jobs.run", type("T", (), {"enqueue": handed.append}))
    monkeypatch.setattr("config.pages.imports.AT_ONCE_BYTES", 10)
    client = log_in(world.posts.officer)
    job = staged(client, PEOPLE)
    assert handed == [job.pk] and job.state == "queued"
    assert "正在处理" in client.get(job.get_absolute_url()).content.decode()
    jobs.perform(job.pk)
    jobs.perform(job.pk)  # a second worker finds nothing to do
    job.refresh_from_db()
    assert job.state == "staged"


# --- Who may --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["staff", "lead", "expert", "street", "auditor", "security"])
def test_posts_without_the_right_have_no_import_page(world, log_in, who):
    client = log_in(getattr(world.posts, who))
    assert client.get(reverse("import_start")).status_code == 403
    assert upload(client, PEOPLE).status_code == 403


@pytest.mark.parametrize(
    ("who", "kind", "may"),
    [
        ("officer", "institutions", True),
        ("officer", "users", False),
        ("system", "users", True),
        ("system", "problems", False),
        ("system", "standard", False),
        ("head", "users", True),
        ("head", "problems", True),
        ("head", "institutions", False),
        ("head", "standard", False),
        ("finance", "population", False),
        ("leader", "problems", True),
    ],
)
def test_each_kind_has_its_own_right(world, log_in, who, kind, may):
    post = getattr(world.posts, who)
    client = log_in(post)
    assert KINDS[kind].may_import(post) is may
    page = client.get(reverse("import_start")).content.decode()
    assert (f'value="{kind}"' in page) is may
    answer = upload(client, "a,b\n1,2\n", kind=kind)
    assert answer.status_code == (302 if may else 200)
    template = client.get(reverse("import_template", args=[kind]))
    assert template.status_code == (200 if may else 403)


def test_a_template_is_empty_and_its_header_is_the_kind_s(world, log_in):
    client = log_in(world.posts.officer)
    for kind in ("institutions", "population", "standard", "problems"):
        answer = client.get(reverse("import_template", args=[kind]))
        job = staged(client, answer.content, kind=kind, name="模板.xlsx")
        assert job.state == "failed" and "没有数据" in job.report["errors"][0]


def test_exports_hold_what_the_post_sees_and_leave_an_event(world, log_in):
    Population.objects.create(institution=world.centre, year=2023, residents=111)
    Population.objects.create(institution=world.far_centre, year=2023, residents=222)
    Population.objects.create(institution=world.other_centre, year=2022, residents=333)
    client = log_in(world.posts.officer)
    url = reverse("table_export", args=["population"])
    text = b"".join(client.get(url).streaming_content).decode("utf-8-sig")
    assert "111" in text and "333" in text and "222" not in text
    text = b"".join(client.get(url, {"year": "2023"}).streaming_content).decode("utf-8-sig")
    assert "111" in text and "333" not in text
    book = b"".join(client.get(url, {"format": "xlsx"}).streaming_content)
    assert len(list(read_sheet(io.BytesIO(book), "a.xlsx").rows)) == 2
    assert Event.objects.filter(action="portal.export").count() == 3
    client = log_in(world.posts.doctor)
    text = b"".join(client.get(url).streaming_content).decode("utf-8-sig")
    assert "111" not in text


def test_an_export_needs_the_right_to_see_that_kind(world, log_in):
    client = log_in(world.posts.staff)
    assert client.get(reverse("table_export", args=["population"])).status_code == 200
    assert client.get(reverse("table_export", args=["users"])).status_code == 403
    assert client.get(reverse("table_export", args=["nothing"])).status_code == 404
    client = log_in(world.posts.expert)
    assert client.get(reverse("table_export", args=["population"])).status_code == 403


def test_what_is_exported_comes_back_unchanged(world, log_in):
    client = log_in(world.posts.system)
    for kind in ("institutions", "users"):
        for suffix in ("csv", "xlsx"):
            answer = client.get(reverse("table_export", args=[kind]), {"format": suffix})
            content = b"".join(answer.streaming_content)
            job = staged(client, content, kind=kind, name=f"导出.{suffix}")
            assert job.state == "staged", job.report
            assert job.report["新增"] == job.report["修改"] == 0 and job.report["没有变化"] > 5
