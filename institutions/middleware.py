import time

from django.conf import settings
from django.contrib.auth import logout
from django.shortcuts import redirect, render
from django.urls import reverse

from institutions.http import client_address, vary_on_htmx
from institutions.roles import SECOND_FACTOR_ROLES
from institutions.workflow import StaleState


class HeadersMiddleware:
    """Private pages are never kept by a browser or proxy, and no device of the machine is asked for."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        response.setdefault("Cache-Control", "no-store")
        return vary_on_htmx(response)


class PostMiddleware:
    """Give the request its active post; end sessions that idled or lasted too long; ask for what is still missing."""

    # Pages that a user who still has to set a password or a second factor may open.
    FREE = frozenset(
        {"logout", "password_change", "second_factor", "second_factor_set_up", "post_switch"}
    )

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        request.post = None
        if not request.user.is_authenticated:
            return None
        posts = list(request.user.posts_in_office())
        chosen = request.session.get("post")
        post = next((p for p in posts if p.pk == chosen), posts[0] if posts else None)
        request.posts, request.user.post = posts, post
        if self._expired(request, post):
            logout(request)
            return redirect(f"{reverse('login')}?timeout=1")
        if post is not None:
            post.address = client_address(request)
        request.post = post
        name = request.resolver_match.url_name
        if name in self.FREE or not getattr(view, "login_required", True):
            return None
        if request.user.password_expired:
            return redirect("password_change")
        if self._needs_second_factor(request, posts) and not request.user.is_verified():
            return redirect("second_factor")
        return None

    def _needs_second_factor(self, request, posts) -> bool:
        """Who must, and who chose to (told by the log-in): a device that is not asked for protects nobody."""
        required = settings.TOTP_REQUIRED and any(p.role in SECOND_FACTOR_ROLES for p in posts)
        return required or request.session.get("second_factor", False)

    def _expired(self, request, post) -> bool:
        now = time.time()
        started = request.session.get("started_at", now)
        seen = request.session.get("seen_at", now)
        idle = (
            settings.SESSION_IDLE_MINUTES_BUREAU
            if post is not None and post.needs_second_factor
            else settings.SESSION_IDLE_MINUTES
        )
        if now - started > settings.SESSION_HOURS * 3600 or now - seen > idle * 60:
            return True
        if "started_at" not in request.session or now - seen > 60:
            request.session["started_at"] = started
            request.session["seen_at"] = now
            request.session["address"] = client_address(request)
            request.session["agent"] = request.headers.get("User-Agent", "")[:200]
        return False


class StaleStateMiddleware:
    """Turn a lost race into a page that shows what changed; nothing was saved."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, StaleState):
            from institutions.models import Event

            row = exception.row
            history = Event.objects.of(row).order_by("-seq")[:5]
            url = row.get_absolute_url() if hasattr(row, "get_absolute_url") else "/"
            context = {"row": row, "history": history, "url": url, "typed": _typed(request, row)}
            return render(request, "409.html", context, status=409)
        return None


def _typed(request, row) -> list[tuple[str, str]]:
    """What a person wrote and would lose: the fields of the record by name, and any other words; no keys or codes."""
    fields = {field.name: field for field in row._meta.concrete_fields if not field.is_relation}
    found = []
    for name, values in request.POST.lists():
        field = fields.get(name)
        words = dict(field.flatchoices) if field else {}
        text = "；".join(str(words.get(value, value)) for value in values if value.strip())
        if name in ("csrfmiddlewaretoken", "version") or not text:
            continue
        if field or not text.isascii():
            found.append((str(field.verbose_name) if field else "填写的内容", text))
    return found
