"""The database itself refuses to change what was shown to everybody: it is replaced or taken down, never rewritten."""

from django.db import migrations

# The columns that are settled by publication: all but status, version, the day and the reason of its end.
SETTLED = (
    "bureau_id",
    "institution_id",
    "supervisor_id",
    "author_id",
    "kind",
    "title",
    "text",
    "campaign_id",
    "workdays",
    '"table"',
    "replaces_id",
    "published_on",
    "ends",
    "decided_by_id",
)
TEXT = "a publication is never changed"
TABLE, FILES = "campaigns_publication", "campaigns_publication_files"
OPEN = "('draft', 'submitted', 'discarded')"


def _sqlite():
    changed = " OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in SETTLED)
    yield f"""CREATE TRIGGER publication_settled BEFORE UPDATE ON {TABLE}
        WHEN OLD.status NOT IN {OPEN} AND (NEW.status IN {OPEN} OR {changed})
        BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    yield f"""CREATE TRIGGER publication_kept BEFORE DELETE ON {TABLE}
        WHEN OLD.status NOT IN {OPEN} BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    for name, event, row in (("file_kept", "DELETE", "OLD"), ("file_settled", "INSERT", "NEW")):
        yield f"""CREATE TRIGGER publication_{name} BEFORE {event} ON {FILES}
            WHEN (SELECT status FROM {TABLE} WHERE id = {row}.publication_id) NOT IN {OPEN}
            BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""


def _postgresql():
    changed = " OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in SETTLED)
    yield f"""CREATE FUNCTION portal_publication_settled() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' THEN
            IF OLD.status NOT IN {OPEN} THEN RAISE EXCEPTION '{TEXT}'; END IF;
            RETURN OLD;
          END IF;
          IF OLD.status NOT IN {OPEN} AND (NEW.status IN {OPEN} OR {changed}) THEN
            RAISE EXCEPTION '{TEXT}';
          END IF;
          RETURN NEW;
        END $$"""
    yield f"""CREATE TRIGGER publication_settled BEFORE UPDATE OR DELETE ON {TABLE}
        FOR EACH ROW EXECUTE FUNCTION portal_publication_settled()"""
    yield f"""CREATE FUNCTION portal_publication_file_settled() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE state varchar; owner bigint;
        BEGIN
          IF TG_OP = 'DELETE' THEN owner := OLD.publication_id;
          ELSE owner := NEW.publication_id; END IF;
          SELECT status INTO state FROM {TABLE} WHERE id = owner;
          IF state NOT IN {OPEN} THEN RAISE EXCEPTION '{TEXT}'; END IF;
          IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
          RETURN NEW;
        END $$"""
    yield f"""CREATE TRIGGER publication_file_settled BEFORE INSERT OR DELETE ON {FILES}
        FOR EACH ROW EXECUTE FUNCTION portal_publication_file_settled()"""


def install(apps, editor):
    for statement in _sqlite() if editor.connection.vendor == "sqlite" else _postgresql():
        editor.execute(statement)


def remove(apps, editor):
    if editor.connection.vendor == "sqlite":
        for name in ("settled", "kept", "file_kept", "file_settled"):
            editor.execute(f"DROP TRIGGER publication_{name}")
    else:
        for name in ("publication_settled", "publication_file_settled"):
            editor.execute(f"DROP FUNCTION portal_{name}() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_published_standards_are_immutable")]
    operations = [migrations.RunPython(install, remove)]
