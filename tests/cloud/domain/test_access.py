"""Who may see what."""

import pytest

from cloud.domain.access import Role, Viewer


@pytest.mark.parametrize(
    ("role", "watches_own", "watches_others"),
    [
        (Role.DRIVER, False, False),
        (Role.OWNER, True, False),
        (Role.MAINTENANCE, True, True),
        (Role.ADMIN, True, True),
    ],
)
def test_stations_are_watched_by_staff_and_their_owners(role, watches_own, watches_others):
    viewer = Viewer("me", role)

    assert viewer.may_watch("me") is watches_own
    assert viewer.may_watch("else") is viewer.may_watch(None) is watches_others


@pytest.mark.parametrize("role", list(Role))
def test_sessions_are_seen_by_who_charged_and_who_watches_the_station(role):
    viewer = Viewer("me", role)

    assert viewer.may_see_session("me", None)
    assert viewer.may_see_session("else", "else") is viewer.is_staff
    assert viewer.may_see_session(None, None) is viewer.is_staff
