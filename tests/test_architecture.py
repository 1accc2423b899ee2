"""The rules of the house that a machine can hold."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, get_resolver

from institutions.models.scoping import ScopedQuerySet
from institutions.roles import ROLE_PERMISSIONS, Role
from institutions.workflow import Workflow

ROOT = Path(settings.BASE_DIR)
FLOORS = ["institutions", "campaigns", "supervision", "scoring"]
OURS = [*FLOORS, "config"]


def sources(pattern: str = "**/*.py"):
    for app in OURS:
        for path in sorted((ROOT / app).glob(pattern)):
            if "migrations" not in path.parts:
                yield path


def view_files():
    return [
        p
        for p in sources()
        if p.name == "views.py" or "views" in p.parts or p.parent.name == "pages"
    ]


def models():
    for label in FLOORS:
        yield from apps.get_app_config(label).get_models()


def workflows():
    return [m for m in models() if issubclass(m, Workflow)]


def test_foreign_keys_point_down():
    for model in models():
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created and field.related_model:
                other = field.related_model._meta.app_label
                own = model._meta.app_label
                assert other not in FLOORS or FLOORS.index(other) <= FLOORS.index(own), field


def test_views_read_only_what_the_post_may_see():
    for path in view_files():
        tree = ast.parse(path.read_text())
        scoped = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in ("visible_to", "of")
        }
        for node in ast.walk(tree):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                "get_object_or_404",
                "get_list_or_404",
            }:
                assert not isinstance(node.args[0], ast.Name) or node.args[0].id.islower(), (
                    f"{where} looks up a bare model"
                )
            if isinstance(node, ast.Attribute) and node.attr in {
                "objects",
                "_base_manager",
                "_default_manager",
            }:
                assert id(node) in scoped, f"{where} reads rows without visible_to(post)"


def test_roles_name_exactly_the_permissions_the_code_asks_for():
    granted = frozenset().union(*ROLE_PERMISSIONS.values())
    asked = {move.perm for model in workflows() for move in model.MOVES.values()}
    text = "\n".join(p.read_text() for p in sources())
    text += "\n".join(p.read_text() for p in (ROOT / "templates").rglob("*.html"))
    asked |= set(re.findall(r"""["'](\w+\.\w+)["']""", text))
    asked |= {p.replace("perms.", "") for p in re.findall(r"perms\.\w+\.\w+", text)}
    # Django's admin asks for view, add, change and delete of each registered model by itself.
    admin_asks = re.compile(r"institutions\.(view|add|change|delete)_[a-z]+$")
    unknown = {p for p in granted - asked if not admin_asks.match(p)}
    assert not unknown, "granted, but asked for nowhere"
    moves = {move.perm for model in workflows() for move in model.MOVES.values()}
    assert moves <= granted, "asked for by a move, but granted to nobody"


def test_every_role_is_in_the_table():
    assert set(ROLE_PERMISSIONS) == set(Role.values)


@pytest.mark.parametrize("model", workflows(), ids=lambda m: m.__name__)
def test_a_workflow_constrains_its_status_and_moves_between_known_states(model):
    known = set(model._meta.get_field("status").choices and dict(model.Status.choices))
    for move in model.MOVES.values():
        assert set(move.sources) <= known and move.target in known
    names = {c.name for c in model._meta.constraints}
    assert any(n.endswith("_status_known") for n in names), "the database does not know the states"


def test_scoped_querysets_say_where_institution_and_item_are():
    def below(cls):
        for child in cls.__subclasses__():
            yield child
            yield from below(child)

    for cls in below(ScopedQuerySet):
        if "visible_to" not in vars(cls) and not cls.__name__.endswith("FromWorkQuerySet"):
            assert hasattr(cls, "institution_path") and hasattr(cls, "item_path"), cls


def test_every_model_of_ours_that_a_page_lists_can_be_scoped():
    # Rows without an owner of their own: seen by everybody or by nobody but the machine.
    common = {"Region", "ServiceItem", "Installation", "ChainHead", "Holiday", "PortalSession"}
    for model in models():
        if model.__name__ not in common and not model._meta.auto_created:
            assert hasattr(model._default_manager.all(), "visible_to"), model


def test_views_name_their_methods():
    def patterns(resolver):
        for entry in resolver.url_patterns:
            if isinstance(entry, URLPattern):
                yield entry
            elif entry.namespace != "admin":
                yield from patterns(entry)

    for entry in patterns(get_resolver()):
        view = entry.callback
        module = getattr(view, "__module__", "")
        if module.split(".")[0] not in OURS:
            continue
        source = Path(__import__(module, fromlist=["_"]).__file__).read_text()
        name = view.__name__
        head = re.search(rf"((?:@[^\n]+\n(?:    [^\n]+\n|\)\n)*)+)(?:async )?def {name}\(", source)
        assert head and "require_" in head.group(1), f"{module}.{name} does not name its methods"


def test_only_the_clock_knows_the_date():
    banned = re.compile(r"datetime\.now\(|utcnow\(|date\.today\(|timezone\.(now|localdate)\(")
    allowed = {"institutions/clock.py", "config/backups.py"}
    for path in sources():
        name = str(path.relative_to(ROOT))
        if name not in allowed and not name.startswith("config/run"):
            assert not banned.search(path.read_text()), f"{name} asks another clock"


# Patterns of what our sources and templates must not hold.
@pytest.mark.parametrize(
    "banned",
    [
        r"mark_safe",
        r"\|\s*safe\b",
        r"csrf_exempt",
        r"autoescape off",
        r"fields = \"__all__\"",
        r"\.raw\(|\.extra\(|RawSQL",
        r"pickle|yaml\.load",
        r"FloatField|float\(",
    ],
)
def test_nothing_dangerous_is_used(banned):
    pattern = re.compile(banned)
    for path in [*sources(), *(ROOT / "templates").rglob("*.html")]:
        if "float" in banned and path.name in ("charts.py", "workbooks.py", "postgres.py"):
            continue  # pixels, Excel's own numbers, a version: never points or money
        assert not pattern.search(path.read_text()), path.relative_to(ROOT)


def test_templates_carry_no_inline_script_or_style():
    pattern = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=|hx-on", re.IGNORECASE)
    for path in (ROOT / "templates").rglob("*.html"):
        assert not pattern.search(path.read_text()), path.relative_to(ROOT)


def test_no_module_is_a_drawer_for_everything():
    drawers = {"utils.py", "helpers.py", "services.py", "common.py", "signals.py", "misc.py"}
    assert not [p for p in sources() if p.name in drawers or "common" in p.parts]


def test_migrations_import_nothing_of_ours_but_fields():
    for app in FLOORS:
        for path in (ROOT / app / "migrations").glob("0*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = (
                    [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else [a.name for a in node.names]
                    if isinstance(node, ast.Import)
                    else []
                )
                for name in names:
                    if name.split(".")[0] in OURS:
                        assert name in (
                            "institutions.fields",
                            "institutions.clock",
                            "institutions.models.institution",
                        ), path


def tracked():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_no_tracked_file_names_a_machine_or_a_registry():
    hosts = re.compile(r"pypi\.org|pythonhosted|npmjs\.|deb\.debian\.org|cdn\.|unpkg|jsdelivr")
    homes = re.compile(r"(?<![\w.-])/(home|root|work|Users)/")
    for path in tracked():
        if path.suffix in {".svg", ".png", ".jpg", ".ico"} or not path.exists():
            continue
        text = path.read_text(errors="ignore")
        if path.name == "test_architecture.py":
            continue
        assert not hosts.search(text), path
        assert not homes.search(text), path
