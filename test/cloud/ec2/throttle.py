"""EC2's token buckets: an action may be called so often at once, and so often a second on average.
(EC2 Developer Guide, "Request throttling for the Amazon EC2 API")
"""
import re
import time

# The first that fits: actions, whether a filter or a list of ids makes the call cheaper, burst, calls a second.
BUCKETS = [
    ('RunInstances|CreateFleet', 5, 2),
    ('TerminateInstances', 100, 5),
    ('CreateTags|DeleteTags', 100, 10),
    ('CreateSnapshots?|CreateVolume|AttachVolume|DetachVolume|DeleteVolume|DeleteSnapshot|ModifyVolume', 100, 5),
    ('.*SecurityGroup.*(?<!Groups)', 50, 5),
    ('Describe.*', 100, 20),
    ('.*', 50, 5),
]
# Describe without a filter, ids or paging.
EXPENSIVE = ('expensive Describe', 50, 10)

MESSAGE = 'Request limit exceeded.'
tokens = {}


def bucket_of(action, parameters):
    if action.startswith('Describe'):
        narrow = any(re.match(r'Filter|MaxResults|NextToken|\w+Id\b|\w+Id\.', key) for key in parameters)
        if not narrow:
            return EXPENSIVE
    return next(it for it in BUCKETS if re.fullmatch(it[0], action))


def refuse(action, parameters, now=None):
    """The error that EC2 answers with when the bucket of an action is empty, as a fault of the stand-in; else None."""
    now = time.time() if now is None else now
    name, burst, refill = bucket_of(action, parameters)
    level, at = tokens.get(name, (burst, now))
    level = min(burst, level + (now - at) * refill)
    if level < 1:
        tokens[name] = (level, now)
        return {'code': 'RequestLimitExceeded', 'status': 503, 'message': MESSAGE}
    tokens[name] = (level - 1, now)
    return None
