"""Which view answers which URL."""

from django.urls import path
from notes import views

urlpatterns = [
    path("notes", views.notes),
    path("notes/export", views.export),
    path("notes/<int:number>", views.note),
]
