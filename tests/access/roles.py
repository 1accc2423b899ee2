"""Who is who: the roles that a route is for, and where a persona stands to a unit."""

from tests.canaries.oracle import COUNTY, LEAD_ITEMS, PARENT, REACH

OFFICERS = {"officer", "city_officer", "far_officer"}
HEADS = {
    "head",
    "doctor",
    "sibling_doctor",
    "other_head",
    "maternal_head",
    "far_head",
}
BUREAU = OFFICERS | {"leader", "finance"}
UNITS = HEADS | {"staff"}
WORKERS = BUREAU | UNITS | {"lead", "expert", "street", "auditor"}
ADMINISTRATORS = {"system", "security"}
EVERYBODY = WORKERS | ADMINISTRATORS
MONEY = BUREAU | HEADS | {"auditor"}
ASKING = OFFICERS | HEADS
# Whose own work goes into the work log.
LOGGING = OFFICERS | UNITS | {"leader", "lead"}
# Who gets things ready for a check from above.
PREPARING = OFFICERS | UNITS | {"finance"}
GROUPING = OFFICERS | UNITS | {"street"}
# Who keeps rosters and yearly capacity; who gives task numbers.
KEEPING = OFFICERS | UNITS
PLANNING = OFFICERS | HEADS | {"finance"}
# Units that supervise nobody.
CLINICS = {"doctor", "sibling_doctor"}
# Who organises supervision: whoever has units below, and a lead agency for its items.
SENDING = (ASKING | {"lead"}) - CLINICS - {"maternal_head"}
# Who reads what was done, and totals of pay.
WORKING = MONEY | {"staff"}
SETTLING = HEADS | {"finance"}
PERSONAS = [*sorted(REACH), "disabled", "anonymous"]


def home(persona: str) -> str:
    return REACH[persona][1]


def answers(persona: str, code: str, item: str) -> bool:
    return home(persona) == code


def asks(persona: str, code: str, item: str) -> bool:
    if home(persona) == code:
        return False
    if persona == "lead":
        return code in COUNTY and item in LEAD_ITEMS
    return home(persona) == PARENT.get(code)


def asks_by_paper(persona: str, code: str, item: str) -> bool:
    """A task is asked for by the bureau that issued it, of clinics too."""
    return home(persona) == code[:2] and persona not in ("leader", "finance", "auditor")


def decides(persona: str, code: str, item: str) -> bool:
    """Whose bureau runs the activity that the unit takes part in."""
    return home(persona) == code[:2]


def judges(persona: str, code: str, item: str) -> bool:
    """A lead agency judges its items on the bureau's sheets, not on those of a centre's clinics."""
    return asks(persona, code, item) and (persona != "lead" or PARENT[code] == "ZC")


def takes_part(persona: str, code: str, item: str) -> bool:
    """Either side of a visit."""
    return answers(persona, code, item) or asks(persona, code, item)


def keeps(persona: str, code: str, item: str) -> bool:
    """Reference data is kept by the unit itself, by its centre and by its bureau."""
    return home(persona) in (code, PARENT.get(code), code[:2])


def rechecks(persona: str, code: str, item: str) -> bool:
    """The bureau above looks again at what a centre evaluated, never at its own evaluation."""
    return home(persona) == PARENT.get(code) and len(home(persona)) == 2 and "-" in code


def owns(persona: str, code: str, item: str) -> bool:
    """The record is that unit's own affair: a campaign, a round, an evaluation."""
    return home(persona) == code


def works_for(persona: str, code: str, item: str) -> bool:
    """The unit itself, or whoever stands above it."""
    return home(persona) in (code, "ZB") or PARENT.get(code) == home(persona)
