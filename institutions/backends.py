from django.contrib.auth.backends import BaseBackend, ModelBackend

from institutions.models import User


class RoleBackend(ModelBackend):
    """Answer Django's permission questions for the active post from the role table, never from the database."""

    def user_can_authenticate(self, user) -> bool:
        return user.may_log_in

    def get_user(self, user_id):
        user = User._default_manager.filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj, obj=None) -> set[str]:
        if (
            user_obj.is_anonymous
            or not user_obj.is_active
            or obj is not None
            or user_obj.post is None
        ):
            return set()
        return set(user_obj.post.permissions)

    def has_perm(self, user_obj, perm, obj=None) -> bool:
        return perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj, app_label) -> bool:
        return any(p.startswith(f"{app_label}.") for p in self.get_all_permissions(user_obj))

    get_group_permissions = BaseBackend.get_group_permissions
    get_user_permissions = BaseBackend.get_user_permissions
