"""The record of events: no tampering stays unseen, the database refuses it, auditors read and check it."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from institutions import audit, clock
from institutions.models import AppendOnlyError, ChainHead, Event, Job, PortalSession, StoredFile


def sql(text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def drop_triggers():
    """What somebody with all rights over the database could do first; undone with the test's transaction."""
    if connection.vendor == "sqlite":
        sql("DROP TRIGGER event_no_update")
        sql("DROP TRIGGER event_no_delete")
    else:
        sql("SET CONSTRAINTS ALL IMMEDIATE")  # the test's own rows are still to be checked
        sql("ALTER TABLE institutions_event DISABLE TRIGGER USER")


@pytest.fixture
def chain(world):
    """Ten events of the county, one of its neighbour; returns what was exported of the heads."""
    for number in range(10):
        audit.record(
            "post.opened",
            f"第{number}件",
            by=world.posts.system,
            bureau=world.county,
            note="原文",
        )
    audit.record("post.opened", "邻区的事", by=world.posts.far_officer, bureau=world.other_county)
    return audit.heads()


def rows(world):
    return Event.objects.filter(bureau=world.county).order_by("seq")


def found(heads=None):
    return list(audit.verify(heads))


def test_an_untouched_chain_holds(world, chain):
    assert found() == [] and found(chain) == []


@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_the_database_refuses_to_change_or_delete(world, chain, verb):
    text = (
        "UPDATE institutions_event SET note = 'x'"
        if verb == "UPDATE"
        else "DELETE FROM institutions_event"
    )
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(text)
    assert Event.objects.filter(note="原文").count() == 10


def test_so_do_the_models(world, chain):
    event = rows(world).first()
    for attempt in (event.save, event.delete, rows(world).delete):
        with pytest.raises(AppendOnlyError):
            attempt()
    with pytest.raises(AppendOnlyError):
        rows(world).update(note="x")


def forge(world, event, previous):
    """Write a link anew as somebody would who does not have the key."""
    import hashlib

    text = f"{previous}{event.note}".encode()
    sql(
        "UPDATE institutions_event SET mac = %s WHERE id = %s",
        hashlib.sha256(text).hexdigest(),
        event.pk,
    )


def edit(world):
    sql("UPDATE institutions_event SET note = '改过' WHERE id = %s", rows(world)[4].pk)


def delete_middle(world):
    sql("DELETE FROM institutions_event WHERE id = %s", rows(world)[4].pk)


def delete_tail(world):
    sql("DELETE FROM institutions_event WHERE id = %s", rows(world).last().pk)


def insert(world):
    event = rows(world).last()
    copy = Event(
        **{f.attname: getattr(event, f.attname) for f in Event._meta.fields if f.name != "id"}
    )
    copy.seq += 1
    copy.label = "补写的"
    copy.save(force_insert=True)


def swap(world):
    first, second = rows(world)[3:5]
    for event, seq in ((first, 900), (second, first.seq), (first, second.seq)):
        sql("UPDATE institutions_event SET seq = %s WHERE id = %s", seq, event.pk)


def rehash(world):
    """Change a row and reseal all that follow, head included, but without the key."""
    edit(world)
    previous = rows(world)[3].mac
    for event in rows(world)[4:]:
        forge(world, event, previous)
        previous = Event.objects.get(pk=event.pk).mac
    ChainHead.objects.filter(key=world.county.pk).update(mac=previous)


def shift_time(world):
    event = rows(world)[4]
    sql(
        "UPDATE institutions_event SET at = %s WHERE id = %s",
        event.at - timedelta(hours=1),
        event.pk,
    )


def change_person(world):
    event = rows(world)[4]
    other = world.posts.officer.pk
    sql("UPDATE institutions_event SET post_id = %s WHERE id = %s", other, event.pk)


def move_to_another_chain(world):
    event = rows(world).last()
    far = world.other_county.pk
    sql("UPDATE institutions_event SET bureau_id = %s, seq = 2 WHERE id = %s", far, event.pk)


def edit_head(world):
    ChainHead.objects.filter(key=world.county.pk).update(mac="0" * 64)


TAMPERINGS = [
    edit,
    delete_middle,
    delete_tail,
    insert,
    swap,
    rehash,
    shift_time,
    change_person,
    move_to_another_chain,
    edit_head,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda f: f.__name__)
def test_tampering_is_found(world, chain, tamper):
    drop_triggers()
    tamper(world)
    assert found(), "not found"


def restore_old_copy(world):
    """Put the chain back to an earlier state with its head: in itself it holds."""
    drop_triggers()
    kept = rows(world)[5]
    sql(
        "DELETE FROM institutions_event WHERE bureau_id = %s AND seq > %s",
        world.county.pk,
        kept.seq,
    )
    ChainHead.objects.filter(key=world.county.pk).update(seq=kept.seq, mac=kept.mac)


def test_an_old_copy_put_back_is_found_by_the_exported_head(world, chain):
    restore_old_copy(world)
    assert found() == [], "by itself the shorter chain is right"
    assert "末尾的记录被删除" in str(found(chain)[0])


def test_an_exported_head_that_was_edited_is_found(world, chain):
    seq, _ = chain[world.county.pk]
    assert found({**chain, world.county.pk: (seq, "0" * 64)})


def test_another_key_does_not_fit(world, chain, settings):
    settings.AUDIT_KEY = "another-key"
    assert len(found()) >= 11


# --- Commands ----------------------------------------------------------------------------------------------------


def test_verify_audit_says_whether_all_holds(world, chain, tmp_path):
    heads = tmp_path / "heads.json"
    call_command("export_heads", str(heads))
    out = io.StringIO()
    call_command("verify_audit", heads=heads, stdout=out)
    assert "全部相符" in out.getvalue()
    restore_old_copy(world)
    call_command("verify_audit", stdout=out)
    errors = io.StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("verify_audit", heads=heads, stderr=errors)
    assert refused.value.returncode == 1 and "末尾的记录被删除" in errors.getvalue()


@pytest.mark.parametrize("text", ["", "{}", '{"heads": [1]}', '{"heads": {"x": 1}}'])
def test_a_file_that_holds_no_heads_is_refused(db, tmp_path, text):
    path = tmp_path / "heads.json"
    path.write_text(text)
    with pytest.raises(CommandError, match="读不出链头文件"):
        call_command("verify_audit", heads=path)


def test_daily_exports_and_cleans_and_may_run_twice(world, chain, tmp_path, settings):
    old = clock.now() - timedelta(days=2)
    source = StoredFile.objects.create(
        name="a.csv", kind="csv", content_type="text/csv", size=1, sha256="0", created_at=old
    )
    more = {"kind": "x", "title": "x", "owner": world.posts.head, "unit": world.centre}
    job = Job.objects.create(state="staged", source=source, created_at=old, **more)
    fresh = Job.objects.create(state="staged", **more)
    PortalSession.objects.create(session_key="over", session_data="", expire_date=old)
    for _ in range(2):
        call_command("daily", heads_dir=tmp_path, stdout=io.StringIO())
    job.refresh_from_db()
    fresh.refresh_from_db()
    assert (job.state, job.source, fresh.state) == ("dropped", None, "staged")
    assert not StoredFile.objects.exists() and not PortalSession.objects.exists()
    (written,) = tmp_path.iterdir()
    told = json.loads(written.read_text())["heads"]
    assert told[str(world.county.pk)] == list(chain[world.county.pk])


def test_daily_does_not_write_over_heads_that_no_longer_fit(world, chain, tmp_path):
    call_command("daily", heads_dir=tmp_path, stdout=io.StringIO())
    before = [path.read_text() for path in tmp_path.iterdir()]
    restore_old_copy(world)
    errors = io.StringIO()
    with pytest.raises(CommandError, match="链头不符"):
        call_command("daily", heads_dir=tmp_path, stdout=io.StringIO(), stderr=errors)
    assert [path.read_text() for path in tmp_path.iterdir()] == before
    assert f"记录链 {world.county.pk}" in errors.getvalue()


# --- Pages -------------------------------------------------------------------------------------------------------

LIST = "institutions:event_list"


def test_the_auditor_reads_his_bureaus_chain_and_no_other(world, chain, log_in):
    page = log_in(world.posts.auditor).get(reverse(LIST)).content.decode()
    assert "第9件" in page and "邻区的事" not in page


@pytest.mark.parametrize("who", ["system", "officer", "leader", "head"])
def test_others_do_not_read_it(world, log_in, who):
    client = log_in(getattr(world.posts, who))
    assert client.get(reverse(LIST)).status_code == 403
    assert client.post(reverse("institutions:event_verify")).status_code == 403


def test_the_list_is_filtered_and_exported_and_the_export_recorded(world, chain, log_in):
    client = log_in(world.posts.auditor)
    audit.record("session.login", "登录", by=world.posts.head, bureau=world.county)
    page = client.get(reverse(LIST), {"group": "session."}).content.decode()
    assert "青年路社区卫生服务中心 中心主任" in page and "第9件" not in page
    today = clock.today().isoformat()
    assert "第9件" in client.get(reverse(LIST), {"since": today, "until": today}).content.decode()
    day_before = (clock.today() - timedelta(days=1)).isoformat()
    assert "第9件" not in client.get(reverse(LIST), {"until": day_before}).content.decode()
    export = client.get(reverse(LIST), {"format": "csv"})
    text = b"".join(export.streaming_content).decode("utf-8-sig")
    assert rows(world).filter(action="portal.export").exists()
    assert rows(world)[0].mac in text


def test_checking_is_a_page_that_names_the_break(world, chain, log_in):
    client = log_in(world.posts.auditor)
    url = reverse("institutions:event_verify")
    assert "全部相符" in client.post(url).content.decode()
    assert client.get(url).status_code == 405
    drop_triggers()
    edit(world)
    page = client.post(url).content.decode()
    assert "发现 1 处不符" in page and "第 5 条" in page
    assert Event.objects.filter(action="audit.verified").count() == 2
