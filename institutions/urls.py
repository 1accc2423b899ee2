from django.urls import path

from institutions.views import events, institutions, jobs, pairings, posts, staff

app_name = "institutions"

urlpatterns = [
    # /institutions/
    path("institutions/", institutions.institution_list, name="institution_list"),
    # /staff/
    path("staff/", staff.staff_list, name="staff_list"),
    path("staff/new/", staff.staff_create, name="staff_create"),
    path("staff/skills/", staff.staff_skills, name="staff_skills"),
    path("staff/<int:pk>/", staff.staff_edit, name="staff_edit"),
    # /capacity/: <pk> is an institution; /cooperations/
    path("capacity/", staff.capacity_list, name="capacity_list"),
    path("capacity/<int:pk>/", staff.capacity_detail, name="capacity_detail"),
    path("capacity/<int:pk>/edit/", staff.capacity_edit, name="capacity_edit"),
    path("cooperations/", staff.cooperation_list, name="cooperation_list"),
    path("cooperations/new/", staff.cooperation_create, name="cooperation_create"),
    path("cooperations/<int:pk>/", staff.cooperation_edit, name="cooperation_edit"),
    # /items/
    path("items/", institutions.item_list, name="item_list"),
    # /posts/
    path("posts/", posts.post_list, name="post_list"),
    path("posts/new/", posts.account_create, name="account_create"),
    path("posts/<int:pk>/", posts.post_detail, name="post_detail"),
    path("posts/<int:pk>/hand-over/", posts.post_hand_over, name="post_hand_over"),
    path("posts/<int:pk>/reset/", posts.account_reset, name="account_reset"),
    path("posts/<int:pk>/deactivate/", posts.account_deactivate, name="account_deactivate"),
    path("posts/<int:pk>/reactivate/", posts.account_reactivate, name="account_reactivate"),
    path("posts/<int:pk>/unlock/", posts.account_unlock, name="account_unlock"),
    path("posts/<int:pk>/end-sessions/", posts.account_end_sessions, name="account_end_sessions"),
    path(
        "posts/<int:pk>/reset-second-factor/",
        posts.account_reset_second_factor,
        name="account_reset_second_factor",
    ),
    # /pairings/<pk of the leader's post>/
    path("pairings/<int:pk>/", pairings.pairing_edit, name="pairing_edit"),
    # /events/
    path("events/", events.event_list, name="event_list"),
    path("events/verify/", events.event_verify, name="event_verify"),
    # /jobs/
    path("jobs/", jobs.job_list, name="job_list"),
    path("jobs/<int:pk>/", jobs.job_detail, name="job_detail"),
    path("jobs/<int:pk>/file/", jobs.job_file, name="job_file"),
]
