"""Routes of the portal itself: logging in, the public pages, imports, dossiers and overviews."""

from typing import Any

from tests.access.roles import ASKING, BUREAU, EVERYBODY, HEADS, OFFICERS, UNITS, WORKERS, owns
from tests.access.specs import OPEN, OWN, Guarded, Page, Record

ROUTES: dict[str, Any] = {
    "login": OPEN,
    "activate": OPEN,
    "worker": OPEN,
    "public:home": OPEN,
    "public:bureau": OPEN,
    "public:publication": OPEN,
    "public:file": OPEN,
    "public:object": OPEN,
    "public:receipt": OPEN,
    "logout": OWN,
    "password_change": OWN,
    "second_factor": OWN,
    "second_factor_set_up": OWN,
    "session_list": OWN,
    "session_end": OWN,
    "post_switch": OWN,
    "notification_list": OWN,
    "notification_open": OWN,
    "notification_read_all": OWN,
    "import_detail": OWN,
    "import_confirm": OWN,
    "import_drop": OWN,
    "import_errors": OWN,
    "home": Page(EVERYBODY | {"departed"}),
    "import_start": Page(BUREAU | HEADS | {"system"}),
    "import_stage": Page(BUREAU | HEADS | {"system"}, "post"),
    "leader_list": Page(WORKERS),
    "programme_year": Page(WORKERS),
    "overdue_list": Page(WORKERS),
    "campaign_board": Record("campaigns", "campaign", WORKERS),
    "phase_board": Record("phases", "campaign", WORKERS),
    "visit_suggestion": Guarded("year_plans", "round", ASKING, owns),
    "institution_detail": Record("units", "unit", EVERYBODY),
    "leader_page": Guarded("leaders", "post", WORKERS, methods=("get",)),
    # deeds of one's own unit: what they touch is found from the post, never from the request
    "dossier_start": Page(OFFICERS | UNITS | {"leader", "lead"}),
    "dossier_make": Page(OFFICERS | UNITS | {"leader", "lead"}, "post"),
    "import_template": Page(OFFICERS | HEADS | {"leader"}, args=("problems",)),
    "table_export": Page(EVERYBODY - {"security", "expert"}, args=("institutions",)),
}
