"""The page of one form about money, as awards, the quarter's splits and the call for workload show it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render

from institutions.http import Request


def money_form(
    request: Request,
    form: forms.BaseForm,
    title: str,
    lead: str,
    *,
    submit: str = "保存",
    back: str,
    crumbs: Sequence[tuple[str, Any]],
) -> HttpResponse:
    """Show the form, with 422 where it was sent and refused; `back` is the address of 取消."""
    context = {
        "form": form,
        "title": title,
        "lead": lead,
        "submit": submit,
        "cancel_url": back,
        "crumbs": crumbs,
    }
    return render(request, "scoring/money_form.html", context, status=422 if form.is_bound else 200)
