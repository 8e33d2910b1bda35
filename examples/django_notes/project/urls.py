"""Which view answers which URL."""

from django.contrib.auth.views import LoginView
from django.urls import path
from notes import views

urlpatterns = [
    path("", views.page),
    path("login", LoginView.as_view(template_name="notes/page.html", next_page="/")),
    path("notes", views.notes),
    path("notes/export", views.export),
    path("notes/events", views.events),
    path("notes/<int:number>", views.note),
]
