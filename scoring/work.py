"""What waits for a post on this floor."""

from institutions.models import Post
from institutions.work import WorkLine


def work_for(post: Post) -> list[WorkLine]:
    return []
