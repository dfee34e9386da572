# Given to `odoo shell`: the users, the language and the key that the tests against a real Odoo want. Works on 16 to 19.
# Prints the key of punch-bot as its last line.
from datetime import datetime, timedelta
from inspect import signature

import odoo

PASSWORD = "canary-of-the-tests"  # noqa: S105 - of a database that is thrown away
groups_field = "group_ids" if "group_ids" in env["res.users"]._fields else "groups_id"
env["res.lang"]._activate_lang("es_ES")


def user(login, *groups, lang="en_US"):
    known = [env.ref(group, raise_if_not_found=False) for group in ("base.group_user", *groups)]
    values = {"name": login, "login": login, "password": PASSWORD, "lang": lang}
    values[groups_field] = [(6, 0, [group.id for group in known if group])]
    return env["res.users"].with_context(no_reset_password=True).create(values)


# The least that does, see docs/sinks.md.
role = "manager" if odoo.release.version_info[0] == 18 else "user"
officer = ("hr.group_hr_user", f"hr_attendance.group_hr_attendance_{role}")
bot = user("punch-bot", *officer)
user("punch-es", *officer, lang="es_ES")
user("punch-poor")
# Who manages the attendances of some people, and here of nobody.
user("punch-officer", "hr.group_hr_user", "hr_attendance.group_hr_attendance_officer")
keys = env["res.users.apikeys"].with_user(bot).sudo()
ends = [datetime.now() + timedelta(days=30)] if "expiration_date" in signature(keys._generate).parameters else []
key = keys._generate("rpc", "punch", *ends)
env.cr.commit()
print("key", key)
