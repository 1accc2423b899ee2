from django.contrib.auth.decorators import permission_required
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from institutions.http import Request
from institutions.lists import InstitutionList, ItemList, items_for
from institutions.models import Institution


@require_safe
@permission_required("institutions.view_institution", raise_exception=True)
def institution_list(request: Request) -> HttpResponseBase:
    """The institutions in sight, in the order of the tree; `?parent=` shows those directly below one."""
    rows = Institution.objects.visible_to(request.post)
    parent = request.GET.get("parent", "")
    known = parent.isascii() and parent.isdigit() and len(parent) < 19
    above = rows.select_related("parent").filter(pk=parent).first() if known else None
    context = {"above": above, "crumbs": _crumbs(above)}
    return InstitutionList(request, InstitutionList.rows_of(rows)).response(
        "institutions/institution_list.html", context
    )


@require_safe
@permission_required("institutions.view_institution", raise_exception=True)
def item_list(request: Request) -> HttpResponseBase:
    """The service items: which are for the key groups, who delivers and who leads them."""
    return ItemList(request, items_for(request.post)).response("institutions/item_list.html")


def _crumbs(above: Institution | None) -> list[tuple[str, str]]:
    if above is None:
        return []
    crumbs = [("全部机构", reverse("institutions:institution_list"))]
    if above.parent:
        crumbs.append((above.parent.known_as, f"?parent={above.parent_id}"))
    return crumbs
