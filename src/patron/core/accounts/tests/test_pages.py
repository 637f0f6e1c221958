from dataclasses import replace
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse

from patron.core.accounts import operations
from patron.core.accounts.models import Branch, Staff
from patron.core.accounts.registers import AuditFilter, audit_trail
from patron.core.accounts.rules import Role
from patron.core.accounts.testing import NOW, PASSWORD, actor_in, make_branch, make_staff
from patron.kernel import audit
from patron.kernel.actor import SYSTEM
from patron.kernel.errors import PermissionRefused
from patron.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db
ADMIN = actor_in(Role.ADMINISTRATOR)


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(make_staff(Role.ADMINISTRATOR))
    return client


def sign_in(client: Client, password: str = PASSWORD, **data: str):
    return client.post(reverse("sign-in"), {"username": "analyst", "password": password, **data})


def test_sign_in_leads_to_where_they_wanted_in_their_language(client: Client) -> None:
    make_staff(Role.ANALYST, language="zh-hant")
    answer = sign_in(client, next="/settings/staff/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/settings/staff/")
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hant"
    assert client.get(reverse("own-account")).headers["Content-Language"] == "zh-hant"


def test_sign_in_leads_nowhere_else(client: Client) -> None:
    make_staff(Role.ANALYST)
    assert sign_in(client, next="https://evil.example/").headers["Location"] == "/"


def test_sign_in_refuses_wrong_passwords_and_the_shut_out(client: Client) -> None:
    staff = make_staff(Role.ANALYST)
    answer = sign_in(client, "wrong")
    assert answer.status_code == 422
    assert "do not match" in answer.content.decode()
    Staff.objects.filter(pk=staff.pk).update(is_active=False)
    assert sign_in(client).status_code == 422


def test_sixth_try_waits_a_quarter_of_an_hour(client: Client) -> None:
    make_staff(Role.ANALYST)
    answers = [sign_in(client, "wrong").status_code for _ in range(6)]
    assert answers == [422, 422, 422, 422, 429, 429]
    assert sign_in(client).status_code == 429
    assert "quarter of an hour" in sign_in(client).content.decode()
    for attempt in AccessAttempt.objects.all():
        attempt.attempt_time -= timedelta(minutes=16)
        attempt.save()
    assert sign_in(client).status_code == 302


def test_sign_in_of_someone_at_one_branch_shows_its_time(client: Client) -> None:
    make_staff(Role.CASHIER, branches=[make_branch(time_zone="Asia/Tokyo")])
    client.post(reverse("sign-in"), {"username": "cashier", "password": PASSWORD})
    assert client.session["time_zone"] == "Asia/Tokyo"
    assert client.get(reverse("own-account")).status_code == 200


def test_sign_out_is_posted(client: Client) -> None:
    client.force_login(make_staff(Role.ANALYST))
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).headers["Location"] == reverse("sign-in")
    assert client.get(reverse("own-account")).status_code == 302


def test_shutting_out_ends_the_session(client: Client, admin: Client) -> None:
    staff = make_staff(Role.ANALYST)
    theirs = Client()
    theirs.force_login(staff)
    admin.post(reverse("staff-activity", args=[staff.pk]))
    assert theirs.get(reverse("own-account")).status_code == 302


def test_staff_pages_make_and_change_staff(admin: Client) -> None:
    branch = make_branch()
    given = {"username": "mei", "name": "王美玲", "role": "cashier", "password": "a fine long secret"}
    refused = admin.post(reverse("staff-new"), given)
    assert refused.status_code == 422
    assert "choose at least one branch" in refused.content.decode()
    assert admin.post(reverse("staff-new"), {**given, "branches": [branch.pk]}).status_code == 302
    mei = Staff.objects.get(username="mei")
    assert admin.get(reverse("staff", args=[mei.pk])).status_code == 200
    admin.post(reverse("staff", args=[mei.pk]), {"name": "王小玲", "role": "analyst"})
    mei.refresh_from_db()
    assert (mei.name, mei.role, mei.branches.count()) == ("王小玲", "analyst", 0)
    admin.post(reverse("staff-password", args=[mei.pk]), {"password": "one more long secret"})
    mei.refresh_from_db()
    assert mei.check_password("one more long secret")


@pytest.mark.parametrize("rows", [1, 20])
def test_staff_list_asks_the_same_number_of_queries(admin: Client, django_assert_num_queries, rows: int) -> None:
    branch = make_branch()
    for number in range(rows):
        make_staff(Role.CASHIER, username=f"cashier{number}", branches=[branch])
    with django_assert_num_queries(6):
        assert admin.get(reverse("staff-list")).status_code == 200


def test_branch_pages_make_and_change_branches(admin: Client) -> None:
    given = {"code": "TST", "name": "尖沙咀店", "time_zone": "Asia/Hong_Kong", "is_active": "on", "mon": "9-5"}
    refused = admin.post(reverse("branch-new"), given)
    assert refused.status_code == 422
    assert "Write hours like" in refused.content.decode()
    admin.post(reverse("branch-new"), {**given, "mon": "09:00-13:00, 14:00-18:00"})
    branch = Branch.objects.get(code="TST")
    assert branch.opening_hours == {"mon": [[540, 780], [840, 1080]]}
    page = admin.get(reverse("branch", args=["TST"])).content.decode()
    assert "09:00–13:00, 14:00–18:00" in page
    admin.post(reverse("branch", args=["TST"]), {"name": "旺角店", "time_zone": "Asia/Hong_Kong"})
    branch.refresh_from_db()
    assert (branch.name, branch.is_active, branch.opening_hours) == ("旺角店", False, {})
    assert "旺角店" in admin.get(reverse("branch-list")).content.decode()


def test_team_pages_make_and_change_teams(admin: Client) -> None:
    admin.post(reverse("team-list"), {"name": "Care"})
    page = admin.get(reverse("team-list")).content.decode()
    assert "Care" in page
    refused = admin.post(reverse("team-list"), {"name": "care"})
    assert refused.status_code == 422


def test_own_account_changes_language_theme_and_password(client: Client) -> None:
    me = make_staff(Role.ANALYST)
    client.force_login(me)
    url = reverse("own-account")
    client.post(url, {"form": "preferences", "language": "zh-hans", "theme": "dark"})
    me.refresh_from_db()
    assert (me.language, me.theme) == ("zh-hans", "dark")
    assert client.post(url, {"form": "password", "old": "no", "new": "another long secret"}).status_code == 422
    client.post(url, {"form": "password", "old": PASSWORD, "new": "another long secret"})
    me.refresh_from_db()
    assert me.check_password("another long secret")
    assert client.get(url).status_code == 200


def test_audit_trail_pages_by_keyset_and_filters(admin: Client) -> None:
    before = AuditEntry.objects.count()
    for number in range(60):
        audit.record(actor=SYSTEM, now=NOW, operation="core.x.tick", subject=f"x.y:{number}", facts={})
    operations.save_team(None, name="Care", actor=ADMIN, now=NOW)
    first = audit_trail(ADMIN, AuditFilter())
    assert [entry.subject for entry in first.entries][:2] == [first.entries[0].subject, "x.y:59"]
    second = audit_trail(ADMIN, AuditFilter(), before_id=first.older)
    assert (len(first.entries), len(second.entries), second.older) == (50, 11 + before, None)
    assert [e.operation for e in audit_trail(ADMIN, AuditFilter(operation="core.accounts")).entries] == [
        "core.accounts.branches.save_team"
    ]
    assert audit_trail(ADMIN, AuditFilter(subject="x.y:7")).entries[0].subject == "x.y:7"
    ticks = AuditFilter(operation="core.x", since=NOW.date())
    assert len(audit_trail(ADMIN, ticks).entries) == 50
    assert audit_trail(ADMIN, replace(ticks, since=NOW.date() + timedelta(days=1))).entries == ()
    assert "x.y:59" in admin.get(reverse("audit-trail")).content.decode()
    assert admin.get(reverse("audit-trail"), {"after": "x", "since": "never"}).status_code == 200


def test_audit_trail_is_for_those_who_may() -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(PermissionRefused):
        audit_trail(actor_in(Role.CASHIER), AuditFilter())
    assert AuditEntry.objects.count() == before
