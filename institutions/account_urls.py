"""Logging in and what belongs to oneself: names without a namespace, since Django and every page use them."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
