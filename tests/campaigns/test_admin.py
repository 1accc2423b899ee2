"""The admin shows this floor's rows to the auditor and lets nobody change them."""

import pytest
from django.urls import reverse

from tests.campaigns.papers import issued


@pytest.mark.parametrize("model", ["campaign", "task", "report", "standard"])
def test_the_auditor_looks_and_changes_nothing(world, log_in, model):
    row = issued(world)
    client = log_in(world.posts.auditor)
    assert client.get(reverse(f"admin:campaigns_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:campaigns_{model}_add")).status_code == 403
    detail = reverse("admin:campaigns_campaign_change", args=[row.pk])
    assert client.get(detail).status_code == 200
    assert client.post(detail, {"name": "改名"}).status_code == 403
    assert log_in(world.posts.officer).get(detail).status_code in (302, 403)
