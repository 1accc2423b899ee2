"""What this floor tells on an institution's page."""

from institutions.models import Institution, Post


def summary_for(institution: Institution, post: Post) -> None:
    return None
