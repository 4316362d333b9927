"""A stand-in for EC2 over the wire: moto with the behaviour of ec2_behaviour.py, instances that answer
(ec2_machines.py), and a control interface for tests. It ends when its standard input does.

    python3 ec2_stand_in.py [--certificate FILE --key FILE]

It prints one line of JSON when it is ready: the ports, and the id of the account's image `GBrowse-2.54`.

Control, on the same port: GET /control/{state,faults}, POST /control/state {master}, /control/calls {accessKey},
/control/{faults,request,settings,pools,interrupt,behave}, and those of ec2_encryption.py.

A fault: {action, accessKey, having, code, status, message, body, count, delay, hang, drop, after}. `action` is a regular
expression, and so is `having`, for the call's parameters (`Tag.1.Key=Name`), of which one has to fit. The next `count`
calls that fit are delayed by `delay` seconds, then answered with the error `code`, or with `body`, or never (`hang` seconds, then the
connection breaks), or the connection is reset (`drop`). With `after` the call has its effect first.
"""
import argparse
import io
import json
import os
import re
import socket
import struct
import sys
import tempfile
import threading
import time
import urllib.parse

# An own list of images: moto's has 900 and takes a second.
IMAGE = 'ami-0123456789abcdef0'
with tempfile.NamedTemporaryFile('w', suffix='.json') as images:
    image = {
        'ami_id': IMAGE,
        'name': 'GBrowse-2.54',
        'description': 'GBrowse',
        'owner_id': '123456789012',
        'public': False,
        'state': 'available',
        'architecture': 'x86_64',
        'virtualization_type': 'hvm',
        'hypervisor': 'xen',
        'platform': None,
        'image_type': 'machine',
        'root_device_name': '/dev/xvda',
        'root_device_type': 'ebs',
        'sriov': 'simple',
        'creation_date': '2026-01-01T00:00:00.000Z',
    }
    json.dump([image], images)
    images.flush()
    os.environ['MOTO_AMIS_PATH'] = images.name
    import ec2_behaviour as ec2
    import ec2_spot as spot
    import ec2_encryption
    import ec2_market  # noqa: F401 (puts its patches in force)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    ec2.open_to_internet()

FAULTS = []
# By access key.
CALLS = {}
# More for a stand-in that is built on this one: control commands by name, what may refuse a call (with a fault, by action
# and parameters), and what is done after a call.
COMMANDS = {**ec2_encryption.COMMANDS}
LIMITS = []
AFTER_CALL = []
NO_TIME_WAIT = struct.pack('ii', 1, 0)


def user_data_of(instance):
    data = instance.user_data
    return data.decode() if hasattr(data, 'decode') else data


def source_of(rule):
    return (rule.ip_range or {}).get('CidrIp') or (rule.source_group or {}).get('GroupId')


def state(master=None):
    """Everything in the account, or what is this master's of all that has tags."""
    account = ec2.backend()

    def of(resources):
        return [it for it in resources if master in (None, ec2.tags_of(it).get('gbrowse-aws-balancer:master'))]

    return {
        'instances': [
            {
                'id': it.id,
                'state': it.state,
                'type': it.instance_type,
                'image': it.image_id,
                'zone': str(it._placement.zone),
                'subnet': it.subnet_id,
                'address': it.private_ip,
                'groups': [group.id for group in it.security_groups],
                'key': it.key_name,
                'userData': user_data_of(it),
                'request': it.spot_instance_request_id,
                'volumes': [
                    {'device': device, 'deleteOnTermination': volume.delete_on_termination}
                    for device, volume in it.block_device_mapping.items()
                ],
                'shutdownBehaviour': it.instance_initiated_shutdown_behavior,
                'tags': ec2.tags_of(it),
            }
            for it in of(account.all_instances())
        ],
        'requests': [
            {
                'id': it.id,
                'state': it.state,
                'status': it.status['Code'],
                'maxPrice': it.spot_price,
                'tags': ec2.tags_of(it),
            }
            for it in of(account.spot_instance_requests.values())
        ],
        'groups': [
            {
                'id': it.id,
                'name': it.name,
                'rules': [f'{rule.from_port} from {source_of(rule)}' for rule in it.ingress_rules],
                'tags': ec2.tags_of(it),
            }
            for it in of(account.describe_security_groups())
            if it.name != 'default'
        ],
        'templates': [
            {'id': it.id, 'name': it.name, 'tags': ec2.tags_of(it)} for it in of(account.launch_templates.values())
        ],
        'volumes': [
            {'id': it.id, 'state': it.status, 'tags': ec2.tags_of(it)} for it in of(account.volumes.values())
        ],
        'snapshots': [
            {'id': it.id, 'state': it.status, 'tags': ec2.tags_of(it)} for it in of(account.snapshots.values())
        ],
        'keyPairs': [
            {'id': it.id, 'name': it.key_name, 'tags': ec2.tags_of(it)} for it in of(account.key_pairs.values())
        ],
        'peaks': spot.PEAKS,
        'subnets': [
            {'id': it.id, 'vpc': it.vpc_id, 'zone': it.availability_zone}
            for it in account.get_default_subnets().values()
        ],
    }


def control(command, given):
    if command == 'state':
        return state(given.get('master'))
    if command == 'calls':
        return CALLS.get(given['accessKey'], [])
    if command == 'faults':
        if not given:
            return FAULTS
        FAULTS.append(given)
    elif command == 'request':
        spot.SpotRequest(None, '0.100000', given['tags'])
    elif command == 'settings':
        ec2.SETTINGS.update(given)
    elif command == 'pools':
        ec2.POOLS.update(given)
    elif command == 'interrupt':
        spot.interrupt(ec2.backend().get_instance(given['instance']), given['notice'])
    elif command == 'behave':
        ec2.MACHINES[given['instance']].behave(given['behaviour'])
    elif command in COMMANDS:
        return COMMANDS[command](given)
    else:
        raise KeyError(command)
    return {}


def take_fault(action, access_key, parameters):
    for fault in FAULTS:
        fits = re.fullmatch(fault['action'], action) and fault.get('accessKey', access_key) == access_key
        has = any(re.search(fault.get('having', ''), f'{key}={value}') for key, value in parameters.items())
        if fits and (has or 'having' not in fault) and fault['count'] > 0:
            fault['count'] -= 1
            return fault
    return None


def refusal(action, parameters):
    return next((fault for limit in LIMITS if (fault := limit(action, parameters))), None)


def error_document(fault):
    message = fault.get('message', 'injected by the test')
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error>'
        f'<Code>{fault["code"]}</Code><Message>{message}</Message>'
        '</Error></Errors><RequestID>00000000-0000-4000-8000-000000000000</RequestID></Response>'
    ).encode()


moto = DomainDispatcherApplication(create_backend_app)


def call_moto(environment, body, action):
    environment['wsgi.input'] = io.BytesIO(body)
    answer = {}

    def start_response(status, headers, _=None):
        answer.update(status=status, headers=headers)

    with ec2.LOCK:
        ec2.call.action = action
        answer['body'] = b''.join(moto(environment, start_response))
        ec2.call.action = None
        for follow in AFTER_CALL:
            follow(action)
    return answer


def break_connection(environment):
    connection = environment['werkzeug.socket']
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_TIME_WAIT)
    connection.shutdown(socket.SHUT_RDWR)


def front(environment, start_response):
    body = environment['wsgi.input'].read(int(environment.get('CONTENT_LENGTH') or 0))
    path = environment['PATH_INFO']
    if path.startswith('/control/'):
        with ec2.LOCK:
            answer = control(path.removeprefix('/control/'), json.loads(body or b'{}'))
            text = json.dumps(answer).encode()
        start_response('200 OK', [('Content-Type', 'application/json')])
        return [text]

    parameters = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    action = parameters.pop('Action', '?')
    credential = re.search(
        r'Credential=([^/]+)/\d+/([^/]+)/', environment.get('HTTP_AUTHORIZATION', '')
    )
    access_key, region = credential.groups() if credential else ('', '')
    call = {
        'action': action,
        'at': time.time() * 1000,
        'accessKey': access_key,
        'region': region,
        'securityToken': environment.get('HTTP_X_AMZ_SECURITY_TOKEN'),
        'parameters': parameters,
        'status': None,
        'code': None,
    }
    CALLS.setdefault(access_key, []).append(call)
    fault = take_fault(action, access_key, parameters) or refusal(action, parameters)
    answer = None
    if fault is None or fault.get('after') or not {'code', 'body', 'hang', 'drop'} & fault.keys():
        answer = call_moto(environment, body, action)
    if fault is not None:
        time.sleep(fault.get('delay', 0) + fault.get('hang', 0))
        if 'hang' in fault or 'drop' in fault:
            call['code'] = 'no answer'
            break_connection(environment)
            start_response('500 X', [])
            return [b'']
        if 'code' in fault:
            status = f"{fault.get('status', 400)} X"
            headers = [('Content-Type', 'text/xml;charset=UTF-8')]
            answer = {'status': status, 'headers': headers, 'body': error_document(fault)}
        if 'body' in fault:
            headers = [('Content-Type', 'text/html')]
            answer = {'status': f"{fault.get('status', 200)} X", 'headers': headers, 'body': fault['body'].encode()}
    call['status'] = int(answer['status'].split()[0])
    code = re.search(rb'<Code>([^<]+)<', answer['body']) if call['status'] >= 400 else None
    call['code'] = code and code.group(1).decode()
    start_response(answer['status'], list(answer['headers']))
    return [answer['body']]


class Quiet(WSGIRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log(self, *_):
        pass


def serve(tls=None):
    server = make_server('127.0.0.1', 0, front, threaded=True, request_handler=Quiet, ssl_context=tls)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.port


def main():
    parser = argparse.ArgumentParser(description='A stand-in for EC2')
    parser.add_argument('--certificate', help='with --key: answer on a second port over TLS too')
    parser.add_argument('--key')
    options = parser.parse_args()
    run({'tlsPort': serve((options.certificate, options.key))} if options.certificate else {})


def run(more, end=lambda: None):
    """Says that it is ready, with `more`, and answers until its standard input ends."""
    print(json.dumps({'port': serve(), 'image': IMAGE, **more}), flush=True)
    sys.stdin.read()
    end()
    os._exit(0)


if __name__ == '__main__':
    main()
