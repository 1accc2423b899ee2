"""In Django's admin the records of this floor are the auditor's to read, and nobody's to change."""

import pytest
from django.urls import reverse

from tests.supervision.making import rectification, round_of, visit_of


@pytest.mark.parametrize("model", ["supervisionround", "visit", "problem", "rectification"])
def test_the_auditor_reads_and_nobody_writes(world, log_in, model):
    row = rectification(world, world.centre, text="电话打不通")
    round = round_of(world, status="issued")
    visit = visit_of(round, world.centre, world.posts.officer)
    pk = {
        "supervisionround": round.pk,
        "visit": visit.pk,
        "problem": row.problem_id,
        "rectification": row.pk,
    }[model]
    listed = reverse(f"admin:supervision_{model}_changelist")
    change = reverse(f"admin:supervision_{model}_change", args=[pk])
    client = log_in(world.posts.auditor)
    assert client.get(listed).status_code == 200 and client.get(change).status_code == 200
    assert client.post(change, {"text": "改写"}).status_code == 403
    assert client.get(reverse(f"admin:supervision_{model}_add")).status_code == 403
    assert client.get(reverse(f"admin:supervision_{model}_delete", args=[pk])).status_code == 403
    assert log_in(world.posts.system).get(listed).status_code == 403
    assert log_in(world.posts.officer).get(listed).status_code in (302, 403)
