"""Logging in and what belongs to oneself: names without a namespace, since Django and every page use them."""

from django.urls import path

from institutions.views import accounts, notifications

urlpatterns = [
    # /login/ /logout/ /activate/ /password/
    path("login/", accounts.log_in, name="login"),
    path("logout/", accounts.log_out, name="logout"),
    path("activate/", accounts.activate, name="activate"),
    path("password/", accounts.password_change, name="password_change"),
    # /second-factor/
    path("second-factor/", accounts.second_factor_check, name="second_factor"),
    path("second-factor/set-up/", accounts.second_factor_set_up, name="second_factor_set_up"),
    # /sessions/
    path("sessions/", accounts.session_list, name="session_list"),
    path("sessions/end/", accounts.session_end, name="session_end"),
    # /post/switch/
    path("post/switch/", accounts.post_switch, name="post_switch"),
    # /notifications/
    path("notifications/", notifications.notification_list, name="notification_list"),
    path("notifications/read/", notifications.notification_read_all, name="notification_read_all"),
    path("notifications/<int:pk>/open/", notifications.notification_open, name="notification_open"),
]
