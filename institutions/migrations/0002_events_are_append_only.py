"""The database itself refuses to change or delete an event."""

from django.db import migrations

SQLITE = [
    f"""CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON institutions_event
        BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"""
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    """CREATE FUNCTION portal_event_append_only() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'events are append-only'; END $$""",
    """CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON institutions_event
       FOR EACH ROW EXECUTE FUNCTION portal_event_append_only()""",
    """CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON institutions_event
       FOR EACH STATEMENT EXECUTE FUNCTION portal_event_append_only()""",
]


def install(apps, editor):
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL:
        editor.execute(statement)


def remove(apps, editor):
    if editor.connection.vendor == "sqlite":
        editor.execute("DROP TRIGGER event_no_update")
        editor.execute("DROP TRIGGER event_no_delete")
    else:
        editor.execute("DROP FUNCTION portal_event_append_only() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("institutions", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
