"""Patches of moto 5.2.1 in this process. Each restores a behaviour of EC2 that the balancer depends on; the comment above
it says which, with AWS's page. Importing the module puts them in force.
"""
import threading
import time

import moto.ec2.models.amis as amis
import moto.ec2.utils as utils
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instances import Instance, InstanceBackend, InstanceState
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.tags import TagBackend
from moto.ec2.responses.general import General
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.key_pairs import KeyPairs

from ec2_machines import Machine, Network

ACCOUNT = '123456789012'
REGION = 'us-west-2'
CODES = {'pending': 0, 'running': 16, 'shutting-down': 32, 'terminated': 48}

# Seconds, that EC2 takes a minute or two for; and how long a launch, and a change of tags, is not shown.
SETTINGS = {'pending': 0.4, 'boot': 0.4, 'shutting_down': 0.6, 'lag': 0.0}
# Spot pools by instance type: dollars an hour, and how many instances there is capacity for.
DEFAULT_POOL = {'price': 0.03, 'capacity': 1000}
POOLS = {}

LOCK = threading.RLock()
NETWORK = Network()
MACHINES = {}


def backend():
    return ec2_backends[ACCOUNT][REGION]


def open_to_internet():
    # As AWS makes it: the default VPC has an internet gateway, and its main route table leads there.
    account = backend()
    vpc = account.get_default_vpc()
    gateway = account.create_internet_gateway()
    account.attach_internet_gateway(gateway.id, vpc.id)
    main = next(it for it in account.describe_route_tables() if it.vpc_id == vpc.id)
    account.create_route(main.id, destination_cidr_block='0.0.0.0/0', gateway_id=gateway.id)


def error(code, message):
    return type(code.replace('.', ''), (ServiceException,), {'code': code})(message)


def later(seconds, do):
    def locked():
        with LOCK:
            do()

    timer = threading.Timer(seconds, locked)
    timer.daemon = True
    timer.start()


# moto parses the dates of its list of images in place, once for each region, and fails the second time.
_parse_timestamp = amis.parse_timestamp
amis.parse_timestamp = lambda value: _parse_timestamp(value) if isinstance(value, str) else value


# moto looks for a resource's tags among those of all resources: a look at all of them would take the square of the time.
def get_tags(self):
    kind = utils.EC2_PREFIX_TO_RESOURCE.get(utils.get_prefix(self.id), '') if self.id else ''
    tags = dict(shown_tags(self.ec2_backend, self.id))
    return [{'resource_id': self.id, 'key': it, 'value': tags[it], 'resource_type': kind} for it in tags]


TaggedEC2Resource.get_tags = get_tags


# --- Tags that CreateTags has just changed may be shown as they were for some seconds. (EC2 Developer Guide, "Eventual
# consistency")

# The action of the call at hand; none for the control interface.
call = threading.local()
# By resource: when its tags changed, and what they were before, oldest first.
EARLIER_TAGS = {}

_create_tags = TagBackend.create_tags


def create_tags(self, resource_ids, tags):
    if getattr(call, 'action', None) == 'CreateTags':
        for it in resource_ids:
            EARLIER_TAGS.setdefault(it, []).append((time.time(), dict(self.tags.get(it, {}))))
            del EARLIER_TAGS[it][:-16]
    return _create_tags(self, resource_ids, tags)


TagBackend.create_tags = create_tags


def is_public():
    return (getattr(call, 'action', None) or '').startswith('Describe')


def shown_tags(account, resource):
    if is_public() and SETTINGS['lag'] > 0:
        since = time.time() - SETTINGS['lag']
        for at, earlier in EARLIER_TAGS.get(resource, []):
            if at > since:
                return earlier
    return account.tags.get(resource, {})


# --- An instance is pending for a moment, then running; its programs listen some time after. When it is terminated, it is
# shutting-down first. (EC2 User Guide, "Amazon EC2 instance state changes")

_create_instance = Instance.__init__


def create_instance(self, *args, **kwargs):
    _create_instance(self, *args, **kwargs)
    self._state = InstanceState('pending', CODES['pending'])
    self.spot_instance_request_id = None
    place(self)


def place(instance):
    address = NETWORK.address()
    card = instance.nics[0]
    card.private_ip_address = card.public_ip = address
    card.private_ip_addresses = [{'Primary': True, 'PrivateIpAddress': address}]


def set_state(instance, name):
    instance._state = InstanceState(name, CODES[name])


def tags_of(resource):
    return {tag['key']: tag['value'] for tag in resource.get_tags()}


def ports_of(instance):
    tags = tags_of(instance)
    return [int(port) for port in tags.get('gbrowse-aws-balancer:ports', '').split()] or [8101]


def power_on(instance):
    machine = MACHINES[instance.id] = Machine(NETWORK, instance.private_ip, ports_of(instance))

    def run():
        if instance.state == 'pending':
            set_state(instance, 'running')
            later(SETTINGS['boot'], boot)

    def boot():
        if instance.state == 'running':
            machine.start()

    later(SETTINGS['pending'], run)


_terminate = Instance.terminate


def terminate(self):
    if self.state in ('shutting-down', 'terminated'):
        return InstanceState(self.state, self._state.code)
    previous = _terminate(self)
    set_state(self, 'shutting-down')
    if self.id in MACHINES:
        MACHINES[self.id].stop()
    request = backend().spot_instance_requests.get(self.spot_instance_request_id)
    if request and request.state == 'active':
        request.set('closed', 'instance-terminated-by-user')
    later(SETTINGS['shutting_down'], lambda: set_state(self, 'terminated'))
    return previous


Instance.__init__ = create_instance
Instance.terminate = terminate


# --- What a mapping does not say of a device of the image's, the image says: RunInstances takes a mapping without a size.
# (EC2 User Guide, "Block device mappings")

_validate_mapping = InstanceResponse._validate_block_device_mapping


def validate_mapping(mapping):
    if 'DeleteOnTermination' not in mapping.get('Ebs', {}):
        _validate_mapping(mapping)


InstanceResponse._validate_block_device_mapping = staticmethod(validate_mapping)


# --- A launch template's tags change as everything's do. (EC2 API Reference, "CreateTags")

LaunchTemplate.tags = property(TaggedEC2Resource.get_tags, lambda self, tags: None)


# --- A console is shown by its owner's leave, as everything is. (EC2 API Reference, "GetConsoleOutput")

def shown_console(self, known=General.get_console_output):
    self.error_on_dryrun()
    return known(self)


General.get_console_output = shown_console


# --- A key pair is deleted by its name or by its id. (EC2 API Reference, "DeleteKeyPair")

def delete_key_pair(self):
    self.error_on_dryrun()
    name, key_id = self._get_param('KeyName'), self._get_param('KeyPairId')
    if key_id is not None:
        name = next((it.key_name for it in backend().key_pairs.values() if it.id == key_id), None)
        if name is None:
            raise error('InvalidKeyPair.NotFound', f"The key pair '{key_id}' does not exist")
    key_pair = backend().delete_key_pair(name)
    return ActionResult({'Return': True, 'KeyPairId': key_pair and key_pair.id})


KeyPairs.delete_key_pair = delete_key_pair


# --- A ClientToken names one intent and its parameters. (EC2 API Reference, "Ensuring idempotency")

ANSWERS = {}


def idempotent(action):
    def once(self):
        token = self.params.get('ClientToken')
        if token is None:
            return action(self)
        parameters = repr({key: value for key, value in self.params.items() if key != 'ClientToken'})
        if token not in ANSWERS:
            ANSWERS[token] = (parameters, action(self))
        elif ANSWERS[token][0] != parameters:
            message = 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).'
            raise error('IdempotentParameterMismatch', message)
        return ANSWERS[token][1]

    return once


# --- A security group cannot be deleted while an instance uses it. (EC2 API Reference, "DeleteSecurityGroup")

_delete_group = SecurityGroupBackend.delete_security_group


def delete_security_group(self, name=None, group_id=None):
    for instance in self.all_instances():
        used = [group.id for card in instance.nics.values() for group in card.group_set]
        used += [group.id for group in instance.security_groups or []]
        if instance.state != 'terminated' and group_id in used:
            raise error('DependencyViolation', f'resource {group_id} has a dependent object')
    return _delete_group(self, name=name, group_id=group_id)


SecurityGroupBackend.delete_security_group = delete_security_group


# --- An instance just launched may not be shown for some seconds. (EC2 Developer Guide, "Eventual consistency")

_all_reservations = InstanceBackend.all_reservations


def all_reservations(self, filters=None):
    reservations = _all_reservations(self, filters)
    if not is_public() or SETTINGS['lag'] == 0:
        return reservations
    now = time.time()
    return [
        it for it in reservations if all(now - i.launch_time.timestamp() >= SETTINGS['lag'] for i in it.instances)
    ]


InstanceBackend.all_reservations = all_reservations
