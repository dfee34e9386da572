"""Parses uploads with PyPI iclockhelper: one {"target", "body"} a line in, one {"rows"} or {"error"} a line out."""

import dataclasses
import enum
import json
import sys
import warnings
from urllib.request import Request

warnings.simplefilter("ignore")

import iclockhelper  # noqa: E402


def plain(value):
    return value.value if isinstance(value, enum.Enum) else str(value)


KINDS = {"attendance_log": ["transactions"], "operation_log": ["operations", "users", "fingerprints"]}


def rows(request):
    for log, kinds in KINDS.items():
        for kind in kinds:
            for row in getattr(getattr(request, log), kind, ()):
                yield {"kind": kind, **{key: plain(value) for key, value in vars(row).items() if key != "raw"}}


for line in sys.stdin:
    job = json.loads(line)
    url = f"http://127.0.0.1{job['target']}"
    try:
        if "/getrequest" in url:
            info = iclockhelper.GetRequest.from_req(Request(url)).info
            said = {"rows": [{key: plain(value) for key, value in dataclasses.asdict(info).items() if value}]}
        else:
            request = Request(url, data=job["body"].encode(), method="POST")
            said = {"rows": list(rows(iclockhelper.CdataRequest.from_req(request)))}
    except Exception as error:
        said = {"error": type(error).__name__}
    print(json.dumps(said))
