from datetime import UTC, datetime
from typing import cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from institutions.models import PortalSession


class SessionStore(DatabaseStore):
    """Database sessions that know their user, address and browser."""

    @classmethod
    def get_model_class(cls):
        return PortalSession

    def create_model_instance(self, data):
        row = cast("PortalSession", super().create_model_instance(data))
        row.user_id = int(data[SESSION_KEY]) if data.get(SESSION_KEY) else None
        row.address = data.get("address", "")
        row.agent = data.get("agent", "")[:200]
        for name in ("started_at", "seen_at"):
            if name in data:
                setattr(row, name, datetime.fromtimestamp(data[name], UTC))
        return row
