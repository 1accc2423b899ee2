"""Personas that mean one thing everywhere, over one world that is built once and rolled back after each test."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as generated

from institutions.models import Installation, Post
from tests import builders

# How fast a machine is says nothing of the rule that is tried.
generated.register_profile("portal", deadline=None, suppress_health_check=[HealthCheck.too_slow])
generated.load_profile("portal")


@pytest.fixture(scope="session")
def _world(django_db_setup, django_db_blocker):
    """Build the world once a session, outside the transaction of any test."""
    with django_db_blocker.unblock():
        builders.make_fast_hash()
        builders.load_reference()
        return builders.two_counties()


@pytest.fixture
def world(_world, db) -> SimpleNamespace:
    """The two counties; rows are fetched anew, so that no test sees what another cached."""
    fresh = SimpleNamespace(posts=SimpleNamespace())
    for name, row in vars(_world).items():
        if name != "posts":
            setattr(fresh, name, type(row).objects.get(pk=row.pk))
    ids = {name: row.pk for name, row in vars(_world.posts).items()}
    rows = Post.objects.select_related(
        "institution__bureau", "institution__region", "user"
    ).in_bulk(ids.values())
    for name, pk in ids.items():
        setattr(fresh.posts, name, rows[pk])
    return fresh


@pytest.fixture(autouse=True)
def _surroundings(settings, tmp_path):
    """Fast hashing, no second factor unless a test asks, files in a folder of the test, the real date."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TOTP_REQUIRED = False
    settings.FILES_ROOT = tmp_path / "files"
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
    Installation._demo = None
    yield
    Installation._demo = None


@pytest.fixture
def log_in(client):
    """Return a function that logs the client in as a post and returns the client."""

    def enter(post: Post):
        client.force_login(post.user, backend="institutions.backends.RoleBackend")
        return client

    return enter
