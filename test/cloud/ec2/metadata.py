"""The instance metadata service of every instance, at 169.254.169.254 inside of it. (EC2 User Guide, "Use the Instance
Metadata Service"; "Instance metadata categories")
"""
import json
import os
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ec2_behaviour as ec2
import security_groups

ADDRESS = ('169.254.169.254', 80)


def moment(seconds_from_now):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + seconds_from_now))


def categories(host):
    """Paths under meta-data/, each with its text."""
    it = host.instance
    card = it.nics[0]
    zone = str(it._placement.zone)
    groups = security_groups.groups_of(it)
    facts = {
        'ami-id': it.image_id,
        'ami-launch-index': str(it.ami_launch_index),
        'hostname': it.private_dns_name,
        'instance-id': it.id,
        'instance-life-cycle': it.lifecycle or 'on-demand',
        'instance-type': it.instance_type,
        'local-hostname': it.private_dns_name,
        'local-ipv4': it.private_ip,
        'mac': card.mac_address,
        'placement/availability-zone': zone,
        'placement/region': zone[:-1],
        'security-groups': '\n'.join(group.name for group in groups),
        'services/domain': 'amazonaws.com',
        'services/partition': 'aws',
    }
    interface = {
        'device-number': '0',
        'interface-id': card.id,
        'local-ipv4s': it.private_ip,
        'security-group-ids': '\n'.join(group.id for group in groups),
        'subnet-id': card.subnet.id,
        'subnet-ipv4-cidr-block': card.subnet.cidr_block,
        'vpc-id': it.vpc_id,
    }
    for name, value in interface.items():
        facts[f'network/interfaces/macs/{card.mac_address}/{name}'] = value
    if it.public_ip:
        facts['public-ipv4'] = it.public_ip
    pair = ec2.backend().key_pairs.get(it.key_name)
    if pair:
        facts['public-keys/0/openssh-key'] = pair.material_public.decode().strip()
    if host.interruption:
        facts['spot/instance-action'] = json.dumps({'action': 'terminate', 'time': host.interruption})
        facts['spot/termination-time'] = host.interruption
    return facts


def document(host):
    it = host.instance
    zone = str(it._placement.zone)
    return {
        'accountId': ec2.ACCOUNT,
        'architecture': 'x86_64',
        'availabilityZone': zone,
        'imageId': it.image_id,
        'instanceId': it.id,
        'instanceType': it.instance_type,
        'privateIp': it.private_ip,
        'region': zone[:-1],
        'version': '2017-09-30',
    }


def look_up(host, path):
    """The text at a path, or None."""
    path = re.sub(r'^/(latest|\d{4}-\d\d-\d\d)/', '', path)
    if path == 'user-data':
        data = host.instance.user_data
        return (data.decode() if hasattr(data, 'decode') else data) or None
    if path.strip('/') in ('dynamic', 'dynamic/instance-identity'):
        return 'document' if path.strip('/').endswith('identity') else 'instance-identity/'
    if path == 'dynamic/instance-identity/document':
        return json.dumps(document(host))
    if not path.startswith('meta-data'):
        return None
    facts, name = categories(host), path.removeprefix('meta-data').strip('/')
    if name in facts:
        return facts[name]
    below = [it.removeprefix(f'{name}/' if name else '') for it in facts if it.startswith(f'{name}/' if name else '')]
    return '\n'.join(sorted({it.split('/')[0] + ('/' if '/' in it else '') for it in below})) or None


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def answer(self, status, text='', headers=()):
        body = text.encode()
        self.send_response(status)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Content-Length', str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        seconds = self.headers.get('X-aws-ec2-metadata-token-ttl-seconds', '')
        if self.path != '/latest/api/token' or not re.fullmatch(r'\d{1,5}', seconds):
            return self.answer(400)
        token = os.urandom(24).hex()
        self.server.tokens[token] = time.time() + int(seconds)
        return self.answer(200, token, [('X-aws-ec2-metadata-token-ttl-seconds', seconds)])

    def do_GET(self):
        host, token = self.server.host, self.headers.get('X-aws-ec2-metadata-token')
        required = host.instance.metadata_options.http_tokens == 'required'
        if token is None and required or token is not None and self.server.tokens.get(token, 0) < time.time():
            return self.answer(401)
        with ec2.LOCK:
            text = look_up(host, self.path)
        return self.answer(404) if text is None else self.answer(200, text)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host, listener):
        super().__init__(ADDRESS, Handler, bind_and_activate=False)
        self.socket.close()
        self.socket, self.host, self.tokens = listener, host, {}


def serve(host, listen):
    """Answers for a host on the socket that `listen` opens. Gives the server, to be shut down."""
    server = Server(host, listen())
    threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()
    return server
