"""Tables in the admin: the same checks and the same scope as everywhere, CSV and XLSX only."""

import io

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from campaigns.resources import StandardResource
from institutions.models import Event, Population
from institutions.resources import FORMATS, PopulationResource, SheetCSV, SheetXLSX
from institutions.sheets import read_sheet
from supervision.resources import ProblemResource

PEOPLE = "机构代码,年度,常住人口\nZC-QNL,2023,30000\n"


def bring(post, text: str, *, dry_run: bool = False):
    dataset = SheetCSV().create_dataset(text.encode())
    return PopulationResource(post=post).import_data(dataset, dry_run=dry_run)


def test_a_resource_writes_by_the_table_or_only_checks(world):
    post = world.posts.officer
    assert bring(post, PEOPLE, dry_run=True).totals["new"] == 1 and not Population.objects.exists()
    assert not bring(post, PEOPLE).has_errors() and Population.objects.get().residents == 30000
    assert bring(post, PEOPLE).totals["skip"] == 1
    assert Event.objects.filter(action="portal.import_population").count() == 1


def test_a_resource_refuses_what_the_table_refuses(world):
    post = world.posts.officer
    for text, reason in (
        (PEOPLE + "ZD-A,2023,1\n", "不在本单位管辖范围内"),
        (PEOPLE + "ZC-WC,2023,1e3\n", "数字"),
    ):
        result = bring(post, text)
        assert result.has_errors() and reason in str(result.row_errors()[0][1][0].error)
    result = bring(post, "机构代码,年度,常住人口,id\nZC-QNL,2023,1,1\n")
    assert "id" in str(result.base_errors[0].error)
    assert not Population.objects.exists()
    with pytest.raises(PermissionDenied):
        bring(world.posts.finance, PEOPLE)


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_holds_what_is_in_sight_and_guards_formulas(world, form):
    world.centre.name = "=1+1"
    world.centre.save()
    Population.objects.create(institution=world.centre, year=2023, residents=1)
    Population.objects.create(institution=world.far_centre, year=2023, residents=2)
    content = form().export_data(PopulationResource(post=world.posts.officer).export())
    rows = list(read_sheet(io.BytesIO(content), f"a.{form.suffix}").rows)
    assert [row.cells["机构代码"] for row in rows] == ["ZC-QNL"]


@pytest.mark.parametrize("resource", [StandardResource, ProblemResource])
def test_every_floor_has_its_resource(world, resource):
    headers = resource(post=world.posts.officer).export().headers
    assert headers == resource.table.headers() and "id" not in headers


def test_in_the_admin_import_leads_to_the_import_page_and_export_to_a_file(world, log_in):
    Population.objects.create(institution=world.centre, year=2023, residents=1)
    client = log_in(world.posts.system)
    for model, kind in (
        ("institution", "institutions"),
        ("population", "population"),
        ("post", "users"),
    ):
        page = client.get(reverse(f"admin:institutions_{model}_changelist"))
        url = reverse(f"admin:institutions_{model}_import")
        assert url in page.content.decode()
        assert client.get(url).url == f"{reverse('import_start')}?kind={kind}"
        answer = client.get(reverse(f"admin:institutions_{model}_export"))
        assert answer.status_code == 200 and answer.content.startswith(b"\xef\xbb\xbf")
        answer = client.get(reverse(f"admin:institutions_{model}_export"), {"format": "xlsx"})
        assert list(read_sheet(io.BytesIO(answer.content), "a.xlsx").rows)
    client = log_in(world.posts.security)
    assert client.get(reverse("admin:institutions_post_export")).status_code == 403


def test_a_broken_workbook_is_refused_before_any_parser_opens_it():
    with pytest.raises(ValueError, match=r"损坏|类型不符"):
        SheetXLSX().create_dataset(b"PK\x03\x04" + b"x" * 700)
