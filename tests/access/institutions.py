"""Routes about institutions, posts, accounts, people and means."""

from typing import Any

from tests.access.roles import (
    BUREAU,
    EVERYBODY,
    HEADS,
    KEEPING,
    OFFICERS,
    UNITS,
    WORKERS,
    keeps,
    owns,
)
from tests.access.specs import OWN, Guarded, Page, Record

ROUTES: dict[str, Any] = {
    "institutions:job_detail": OWN,
    "institutions:job_file": OWN,
    "institutions:institution_list": Page(EVERYBODY),
    "institutions:staff_list": Page(BUREAU | UNITS | {"auditor", "system"}),
    "institutions:staff_skills": Page(BUREAU | UNITS | {"auditor", "system"}),
    "institutions:staff_create": Page(KEEPING),
    "institutions:capacity_list": Page(WORKERS | {"system"}),
    "institutions:cooperation_list": Page(WORKERS | {"system"}),
    "institutions:cooperation_create": Page(KEEPING),
    "institutions:item_list": Page(EVERYBODY),
    "institutions:post_list": Page(HEADS | {"system", "security", "auditor"}),
    "institutions:account_create": Page(HEADS | {"system"}),
    "institutions:event_list": Page({"auditor", "security"}),
    "institutions:event_verify": Page({"auditor", "security"}, "post"),
    "institutions:job_list": Page(EVERYBODY - {"security", "expert"}),
    # people: seen within one's reach, changed by whoever looks after accounts
    "institutions:post_detail": Record("posts", "post", HEADS | {"system", "security", "auditor"}),
    "institutions:pairing_edit": Guarded("leaders", "post", OFFICERS, owns),
    # people and means
    "institutions:staff_edit": Guarded("staff", "unit", KEEPING, keeps),
    "institutions:capacity_detail": Record("units", "unit", WORKERS | {"system"}),
    "institutions:capacity_edit": Guarded("units", "unit", KEEPING, keeps),
    "institutions:cooperation_edit": Guarded("cooperations", "unit", KEEPING, keeps),
    # accounts
    **{
        f"institutions:{name}": Guarded("posts", "post", HEADS | {"system"}, methods=(method,))
        for name, method in (
            ("post_hand_over", "get"),
            ("account_reset", "post"),
            ("account_deactivate", "post"),
            ("account_reactivate", "post"),
        )
    },
    **{
        f"institutions:{name}": Guarded("posts", "post", {"security"}, methods=("post",))
        for name in ("account_unlock", "account_end_sessions", "account_reset_second_factor")
    },
}
