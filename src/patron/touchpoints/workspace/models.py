"""What the workspace remembers for those who work in it."""

from django.db import models

from patron.core.accounts.models import Staff


class SavedView(models.Model):
    """A list with its filters, columns and order, under a name. `query` is the query string of the page."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["page", "name"]
        constraints = [models.UniqueConstraint(fields=["staff", "page", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return f"{self.page}: {self.name}"
