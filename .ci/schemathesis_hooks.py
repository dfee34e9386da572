"""What the run of schemathesis does not leave to chance.

Nobody else's machine is called: endpoints that are well formed are registered at an address of this machine where nobody listens.
Every key of a call that is to be repeated is a new one: the same for another call is refused, as it should be. What is malformed on
purpose stays as it is.
"""

import itertools
import re

import schemathesis

NUMBERS = itertools.count(1)
KEY = re.compile(r"[!-~]{1,255}")


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("url"), str) and re.match("https?://", body["url"]):
        body["url"] = f"https://127.0.0.1:9/{next(NUMBERS)}"
    headers = case.headers or {}
    for name in list(headers):
        if name.lower() == "idempotency-key" and isinstance(headers[name], str) and KEY.fullmatch(headers[name]):
            headers[name] = f"key-{next(NUMBERS)}"
