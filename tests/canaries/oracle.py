"""Who may read what, written down by hand and not derived from `visible_to`: it is what the paper on roles says."""

CENTRE = {"ZC-QNL", "ZC-QNL-1", "ZC-QNL-2"}
COUNTY = CENTRE | {
    "ZC",
    "ZC-RM",
    "ZC-RM-1",
    "ZC-FY",
    "ZC-CDC",
    "ZC-SZY",
    "ZC-WC",
    "ZC-WC-1",
    "ZC-JD",
}
FAR = {"ZD", "ZD-A", "ZD-A-1"}
LEAD_ITEMS = {"02"}  # of ITEMS; the mandate is 02, 03, 09, 10
# Kinds that know no service item: a post that is limited to items sees none of them.
WITHOUT_ITEM = {"visit", "plan", "money", "scheme", "sanction"}
AT_BUREAU = {"officer", "city_officer", "far_officer", "leader", "finance", "auditor"}
# What a bureau or centre above publishes to everybody below.
PAPERS = {"campaign", "standard"}
# Where a persona stands: the units it reaches, and its own unit.
REACH = {
    "leader": (COUNTY, "ZC"),
    "officer": (COUNTY, "ZC"),
    "finance": (COUNTY, "ZC"),
    "auditor": (COUNTY, "ZC"),
    "city_officer": (COUNTY | FAR | {"ZB"}, "ZB"),
    "head": (CENTRE, "ZC-QNL"),
    "staff": (CENTRE, "ZC-QNL"),
    "doctor": ({"ZC-QNL-1"}, "ZC-QNL-1"),
    "sibling_doctor": ({"ZC-QNL-2"}, "ZC-QNL-2"),
    "other_head": ({"ZC-WC", "ZC-WC-1"}, "ZC-WC"),
    "maternal_head": ({"ZC-FY"}, "ZC-FY"),
    "street": (CENTRE | {"ZC-JD"}, "ZC-JD"),
    "far_officer": (FAR, "ZD"),
    "far_head": ({"ZD-A", "ZD-A-1"}, "ZD-A"),
    "lead": ({"ZC-CDC"}, "ZC-CDC"),
    "expert": (set(), "ZC-RM"),
    "system": (set(), ""),
    "security": (set(), ""),
    "departed": (set(), ""),
}
PARENT = {
    "ZC-QNL": "ZC",
    "ZC-QNL-1": "ZC-QNL",
    "ZC-QNL-2": "ZC-QNL",
    "ZC-WC": "ZC",
    "ZC-WC-1": "ZC-WC",
    "ZC-RM": "ZC",
    "ZC-RM-1": "ZC-RM",
    "ZC-FY": "ZC",
    "ZC-CDC": "ZC",
    "ZC-SZY": "ZC",
    "ZD-A": "ZD",
    "ZD-A-1": "ZD-A",
}


def may_read(persona: str, code: str, item: str, kind: str) -> bool:
    """Say whether a persona may read a marked text."""
    reach, home = REACH[persona]
    if kind in ("unit", "post"):
        # Who there is: known to administrators too, and to a lead agency wherever it leads.
        return code in (COUNTY if persona in ("system", "security", "lead") else reach)
    if not reach and persona != "expert":
        return False
    if kind == "discipline":
        # Accountability and discipline: leaders and auditors of the bureaus above, nobody else but its author.
        return code in reach and persona in ("leader", "auditor")
    if kind in PAPERS:
        # The paper and the standard of the bureau one works under; its own subtree's for a city.
        return (code in reach or (home.startswith(("ZC", "ZD")) and code == home[:2])) and (
            persona != "expert" or kind == "standard"
        )
    if kind == "expert":
        # The pool is the bureau's own affair: its officers, leaders and auditor, and those of a bureau above.
        return code in reach and persona in (
            "officer",
            "city_officer",
            "far_officer",
            "leader",
            "auditor",
        )
    if kind == "publication":
        # Before it is decided, and what came in about it: the bureau's own and those above; others read the public page.
        return code in reach and persona in AT_BUREAU
    if kind == "contact":
        return persona in ("officer", "city_officer", "far_officer") and code == home
    if kind == "unannounced":
        # Neither the visited nor a street that looks on learns of it; the body does, and whoever is above.
        return code in reach and persona not in ("street", "lead") and persona != "expert"
    if kind in ("round", "evaluation", "policy"):
        # Known to whoever runs it, to those above, and to those with a visit or sheet in it.
        above = {PARENT.get(unit, "") for unit in reach}
        led = persona == "lead" and kind == "evaluation" and code in COUNTY
        return code in reach or code in above or led
    if persona == "lead":
        own = code == "ZC-CDC"
        by_item = code in COUNTY and item in LEAD_ITEMS and kind not in WITHOUT_ITEM
        if not own and not by_item:
            return False
        if own and kind == "money":
            return False
        if kind == "verifying":
            return not own and by_item
        return kind != "plan"
    if code not in reach:
        return False
    if persona in ("expert", "street", "staff") and kind == "money":
        return False
    if kind in ("plan", "verifying"):
        # Not told to the one it concerns: an unannounced visit, a score that is not published.
        at_bureau = home in ("ZC", "ZD", "ZB")
        return at_bureau or PARENT.get(code) == home or (persona == "street" and kind == "none")
    return True
