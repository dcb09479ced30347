# Reads a JSON list of strings, writes what Twisted's parser makes of each: {"args", "kwargs"}, or null where it raises.
import json
import sys
from twisted.internet import endpoints


def parse(s):
    try:
        args, kwargs = endpoints._parse(s)
        return {"args": list(args), "kwargs": kwargs}
    except Exception:
        return None


json.dump([parse(s) for s in json.load(sys.stdin)], sys.stdout)
