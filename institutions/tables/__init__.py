"""Tables in and out: the machinery that every floor declares its kinds with, and the kinds of this floor."""

from institutions.tables.institutions import InstitutionTable
from institutions.tables.population import PopulationTable
from institutions.tables.staff import CapacityTable, StaffTable
from institutions.tables.table import (
    BATCH,
    PLACE,
    UNKNOWN_INSTITUTION,
    YEAR,
    Change,
    Column,
    ModelTable,
    Place,
    Plan,
    Row,
    Scope,
    Table,
    code_of,
    joined,
)
from institutions.tables.users import UserTable

TABLES: tuple[type[Table], ...] = (
    InstitutionTable,
    PopulationTable,
    UserTable,
    StaffTable,
    CapacityTable,
)

__all__ = [
    "BATCH",
    "PLACE",
    "TABLES",
    "UNKNOWN_INSTITUTION",
    "YEAR",
    "CapacityTable",
    "Change",
    "Column",
    "InstitutionTable",
    "ModelTable",
    "Place",
    "Plan",
    "PopulationTable",
    "Row",
    "Scope",
    "StaffTable",
    "Table",
    "UserTable",
    "code_of",
    "joined",
]
