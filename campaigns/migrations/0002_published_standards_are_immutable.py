"""The database itself refuses to change a published standard or its clauses; only its being replaced is recorded."""

from django.db import migrations

# The columns of a standard that are settled by publication: all but its status.
SETTLED = (
    "bureau_id",
    "code",
    "year",
    "edition",
    "name",
    "purpose",
    "kinds",
    "published_at",
    "full_marks",
    "wanted_marks",
    "previous_id",
    "reason",
    "in_force_from",
    "levels",
)
TEXT = "a published standard is never changed"


def _sqlite():
    changed = " OR ".join(f"OLD.{c} IS NOT NEW.{c}" for c in SETTLED)
    yield f"""CREATE TRIGGER standard_settled BEFORE UPDATE ON campaigns_standard
        WHEN OLD.status <> 'draft' AND (NEW.status = 'draft' OR {changed})
        BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    yield f"""CREATE TRIGGER standard_kept BEFORE DELETE ON campaigns_standard
        WHEN OLD.status <> 'draft' BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""
    for verb, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
        yield f"""CREATE TRIGGER clause_settled_{verb.lower()} BEFORE {verb} ON campaigns_clause
            WHEN (SELECT status FROM campaigns_standard WHERE id = {row}.standard_id) <> 'draft'
            BEGIN SELECT RAISE(ABORT, '{TEXT}'); END"""


def _postgresql():
    changed = " OR ".join(f"OLD.{c} IS DISTINCT FROM NEW.{c}" for c in SETTLED)
    yield f"""CREATE FUNCTION portal_standard_settled() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' THEN
            IF OLD.status <> 'draft' THEN RAISE EXCEPTION '{TEXT}'; END IF;
            RETURN OLD;
          END IF;
          IF OLD.status <> 'draft' AND (NEW.status = 'draft' OR {changed}) THEN
            RAISE EXCEPTION '{TEXT}';
          END IF;
          RETURN NEW;
        END $$"""
    yield """CREATE TRIGGER standard_settled BEFORE UPDATE OR DELETE ON campaigns_standard
        FOR EACH ROW EXECUTE FUNCTION portal_standard_settled()"""
    yield f"""CREATE FUNCTION portal_clause_settled() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE standard bigint; state varchar;
        BEGIN
          IF TG_OP = 'INSERT' THEN standard := NEW.standard_id; ELSE standard := OLD.standard_id; END IF;
          SELECT status INTO state FROM campaigns_standard WHERE id = standard;
          IF state <> 'draft' THEN RAISE EXCEPTION '{TEXT}'; END IF;
          IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
          RETURN NEW;
        END $$"""
    yield """CREATE TRIGGER clause_settled BEFORE INSERT OR UPDATE OR DELETE ON campaigns_clause
        FOR EACH ROW EXECUTE FUNCTION portal_clause_settled()"""


def install(apps, editor):
    for statement in _sqlite() if editor.connection.vendor == "sqlite" else _postgresql():
        editor.execute(statement)


def remove(apps, editor):
    if editor.connection.vendor == "sqlite":
        for name in ("standard_settled", "standard_kept"):
            editor.execute(f"DROP TRIGGER {name}")
        for verb in ("insert", "update", "delete"):
            editor.execute(f"DROP TRIGGER clause_settled_{verb}")
    else:
        editor.execute("DROP FUNCTION portal_standard_settled() CASCADE")
        editor.execute("DROP FUNCTION portal_clause_settled() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
