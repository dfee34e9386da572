"""What the run of schemathesis may not do: call machines of others.

Endpoints that are well formed are registered at an address of this machine that the gateway never calls; what is malformed
on purpose stays as it is.
"""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("url"), str) and body["url"].startswith(("http://", "https://")):
        body["url"] = "https://127.0.0.1:9/" + str(abs(hash(body["url"])) % 100000)
