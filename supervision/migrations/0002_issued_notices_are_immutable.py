"""The database itself refuses to change an issued notice, to send it to fewer, or to lose a number of a register."""

from django.db import migrations

# The columns of a notice that are settled by its issue: all but its status and version.
SETTLED = (
    "bureau_id",
    "institution_id",
    "supervisor_id",
    "kind",
    "word",
    "year",
    "number",
    "title",
    "addressee",
    "body",
    "tables",
    "due",
    "signer_id",
    "signer_title",
    "origin",
    "withdraws_id",
    "issued_on",
    "issued_at",
    "paper_id",
    "sha256",
)
TEXT = "an issued notice is never changed"
GAP = "a register counts one by one"
NOTICE, RECIPIENT = "supervision_notice", "supervision_noticerecipient"
REGISTER = "supervision_noticeregister"
OPEN = "OLD.status NOT IN ('draft', 'dropped')"


def _sqlite():
    changed = " OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in SETTLED)
    yield f"""CREATE TRIGGER notice_settled BEFORE UPDATE ON {NOTICE}
        WHEN {OPEN} AND (NEW.status IN ('draft', 'dropped') OR {changed})
        BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    yield f"""CREATE TRIGGER notice_kept BEFORE DELETE ON {NOTICE}
        WHEN {OPEN} BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    yield f"""CREATE TRIGGER notice_recipient_kept BEFORE DELETE ON {RECIPIENT}
        WHEN (SELECT status FROM {NOTICE} WHERE id = OLD.notice_id) NOT IN ('draft', 'dropped')
        BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    yield f"""CREATE TRIGGER notice_register_counts BEFORE UPDATE ON {REGISTER}
        WHEN NEW.last <> OLD.last + 1 BEGIN SELECT RAISE(ABORT, '{GAP}'); END"""
    yield f"""CREATE TRIGGER notice_register_kept BEFORE DELETE ON {REGISTER}
        WHEN OLD.last > 0 BEGIN SELECT RAISE(ABORT, '{GAP}'); END"""


def _postgresql():
    changed = " OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in SETTLED)
    yield f"""CREATE FUNCTION portal_notice_settled() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' THEN
            IF {OPEN} THEN RAISE EXCEPTION '{TEXT}'; END IF;
            RETURN OLD;
          END IF;
          IF {OPEN} AND (NEW.status IN ('draft', 'dropped') OR {changed}) THEN
            RAISE EXCEPTION '{TEXT}';
          END IF;
          RETURN NEW;
        END $$"""
    yield f"""CREATE TRIGGER notice_settled BEFORE UPDATE OR DELETE ON {NOTICE}
        FOR EACH ROW EXECUTE FUNCTION portal_notice_settled()"""
    yield f"""CREATE FUNCTION portal_notice_recipient_kept() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE state varchar;
        BEGIN
          SELECT status INTO state FROM {NOTICE} WHERE id = OLD.notice_id;
          IF state NOT IN ('draft', 'dropped') THEN RAISE EXCEPTION '{TEXT}'; END IF;
          RETURN OLD;
        END $$"""
    yield f"""CREATE TRIGGER notice_recipient_kept BEFORE DELETE ON {RECIPIENT}
        FOR EACH ROW EXECUTE FUNCTION portal_notice_recipient_kept()"""
    yield f"""CREATE FUNCTION portal_notice_register_counts() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' THEN
            IF OLD.last > 0 THEN RAISE EXCEPTION '{GAP}'; END IF;
            RETURN OLD;
          END IF;
          IF NEW.last <> OLD.last + 1 THEN RAISE EXCEPTION '{GAP}'; END IF;
          RETURN NEW;
        END $$"""
    yield f"""CREATE TRIGGER notice_register_counts BEFORE UPDATE OR DELETE ON {REGISTER}
        FOR EACH ROW EXECUTE FUNCTION portal_notice_register_counts()"""


def install(apps, editor):
    for statement in _sqlite() if editor.connection.vendor == "sqlite" else _postgresql():
        editor.execute(statement)


def remove(apps, editor):
    if editor.connection.vendor == "sqlite":
        names = ("notice_settled", "notice_kept", "notice_recipient_kept")
        for name in (*names, "notice_register_counts", "notice_register_kept"):
            editor.execute(f"DROP TRIGGER {name}")
    else:
        names = ("notice_settled", "notice_recipient_kept", "notice_register_counts")
        for name in names:
            editor.execute(f"DROP FUNCTION portal_{name}() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("supervision", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
