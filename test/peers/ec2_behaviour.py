"""Patches of moto 5.2.1 in this process. Each restores a behaviour of EC2 that the balancer depends on; the comment above
it says which, with AWS's page. Importing the module puts them in force.
"""
import threading
import time
import uuid
from collections import Counter

import moto.ec2.models.amis as amis
import moto.ec2.utils as utils
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.models.instances import Instance, InstanceBackend, InstanceState, StateReason
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.spot_requests import SpotRequestBackend
from moto.ec2.models.tags import TagBackend
from moto.ec2.responses.fleets import Fleets
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


# --- Spot instances have a request each, with the status that EC2 gives it.
# (EC2 User Guide, "Get the status of a Spot Instance request")


class SpotRequest(TaggedEC2Resource):
    __module__ = 'moto.ec2.models'  # moto derives the service from it

    def __init__(self, instance, max_price, tags):
        self.ec2_backend = backend()
        self.id = self.spot_instance_request_id = utils.random_spot_request_id()
        self.instance, self.instance_id = instance, instance and instance.id
        self.spot_price, self.type = max_price, 'one-time'
        self.create_time = utcnow()
        self.set('active', 'fulfilled') if instance else self.set('open', 'pending-fulfillment')
        self.add_tags(tags)
        if instance:
            instance.spot_instance_request_id = self.id
        backend().spot_instance_requests[self.id] = self

    def set(self, state, code):
        self.state = state
        self.status = {'Code': code, 'Message': code, 'UpdateTime': utcnow()}

    @property
    def tags(self):
        return self.get_tags()

    def get_filter_value(self, filter_name, method_name=None):
        known = {'state': self.state, 'status-code': self.status['Code'], 'instance-id': self.instance_id}
        if filter_name in known:
            return known[filter_name]
        return super().get_filter_value(filter_name, 'DescribeSpotInstanceRequests')


def requests_by_id(self, ids):
    for request_id in ids:
        if request_id not in self.spot_instance_requests:
            message = f"The spot instance request ID '{request_id}' does not exist"
            raise error('InvalidSpotInstanceRequestID.NotFound', message)
    return [self.spot_instance_requests[request_id] for request_id in ids]


def cancel_spot_instance_requests(self, request_ids):
    requests = requests_by_id(self, request_ids)
    for request in requests:
        if request.state in ('open', 'active'):
            request.set('cancelled', 'request-canceled-and-instance-running')
    return requests


_describe_requests = SpotRequestBackend.describe_spot_instance_requests


def describe_spot_instance_requests(self, filters=None, spot_instance_ids=None):
    requests_by_id(self, spot_instance_ids or [])
    return _describe_requests(self, filters=filters, spot_instance_ids=spot_instance_ids)


SpotRequestBackend.cancel_spot_instance_requests = cancel_spot_instance_requests
SpotRequestBackend.describe_spot_instance_requests = describe_spot_instance_requests


# --- EC2 takes a spot instance back: its request says so, some time later it is terminated by the service.
# (EC2 User Guide, "Spot Instance interruption notices")


def interrupt(instance, notice):
    request = backend().spot_instance_requests[instance.spot_instance_request_id]
    request.set('active', 'marked-for-termination')

    def end():
        if instance.state in ('pending', 'running'):
            request.set('closed', 'instance-terminated-no-capacity')
            instance.terminate()
            code = 'Server.SpotInstanceTermination'
            instance.state_reason = StateReason(f'{code}: Spot instance termination', code)

    later(notice, end)


# --- CreateFleet of type instant: the launch template as it is (groups, devices, user-data, tags of every kind), each
# override a pool with its price and its capacity, errors beside the instances with HTTP status 200.
# (EC2 API Reference, "CreateFleet"; EC2 User Guide, "Configure an EC2 Fleet of type instant")

REFUSALS = {
    'SpotMaxPriceTooLow': 'Your Spot request price is lower than the minimum required Spot request fulfillment price.',
    'InsufficientInstanceCapacity': 'There is no Spot capacity available that matches your request.',
}


def pool_of(instance_type):
    return {**DEFAULT_POOL, **POOLS.get(instance_type, {})}


def template_of(reference):
    template = backend().launch_templates.get(reference.get('LaunchTemplateId'))
    if template is None:
        message = 'The specified launch template does not exist.'
        raise error('InvalidLaunchTemplateId.NotFound', message)
    return template, template.get_version(reference['Version'])


def tags_by_kind(specifications):
    return {
        it['ResourceType']: {tag['Key']: tag.get('Value', '') for tag in it.get('Tags', [])}
        for it in specifications or []
    }


def groups_of(data):
    ids = data.get('SecurityGroupIds') or [
        group for card in data.get('NetworkInterfaces') or [] for group in card.get('Groups') or []
    ]
    for group in ids:
        if backend().get_security_group_from_id(group) is None:
            raise error('InvalidGroup.NotFound', f"The security group '{group}' does not exist")
    return ids


def check_type(name):
    if not any(it['InstanceType'] == name for it in INSTANCE_TYPE_OFFERINGS['region'].get(REGION, [])):
        raise error('InvalidParameterValue', f"Invalid value '{name}' for InstanceType.")


def room(override):
    """How many instances an override's pool has room for, and the error code of those that it has not."""
    pool = pool_of(override['InstanceType'])
    if float(override.get('MaxPrice') or 1000) < pool['price']:
        return 0, 'SpotMaxPriceTooLow'
    taken = [
        it
        for it in backend().all_instances()
        if it.instance_type == override['InstanceType'] and it.state in ('pending', 'running')
    ]
    return max(0, pool['capacity'] - len(taken)), 'InsufficientInstanceCapacity'


def devices_of(data):
    # What a mapping does not say of a device of the image's stays as the image says it; moto wants a size of its own.
    # (EC2 User Guide, "Block device mappings")
    image = backend().describe_images(ami_ids=[data['ImageId']])[0]
    return [
        {**it, 'Ebs': {'VolumeSize': 8, **it['Ebs']}} if it['DeviceName'] == image.root_device_name else it
        for it in data.get('BlockDeviceMappings') or []
    ]


def launch(data, override, tags, count, lifecycle='spot'):
    cards = data.get('NetworkInterfaces') or [{}]
    reservation = backend().run_instances(
        data['ImageId'],
        count,
        data.get('UserData'),
        [],
        security_group_ids=groups_of(data),
        instance_type=override['InstanceType'],
        is_instance_type_default=False,
        subnet_id=override['SubnetId'],
        region_name=REGION,
        key_name=data.get('KeyName'),
        block_device_mappings=devices_of(data),
        metadata_options=data.get('MetadataOptions') or {},
        instance_initiated_shutdown_behavior=data.get('InstanceInitiatedShutdownBehavior'),
        lifecycle=lifecycle,
        associate_public_ip=cards[0].get('AssociatePublicIpAddress'),
        tags=tags,
    )
    for instance in reservation.instances:
        if lifecycle == 'spot':
            SpotRequest(instance, override.get('MaxPrice'), tags.get('spot-instances-request', {}))
        power_on(instance)
    note_peaks()
    return [instance.id for instance in reservation.instances]


# The most instances of each master that ever lived at a time, draining ones apart.
PEAKS = {}


def note_peaks():
    all_tags = [tags_of(it) for it in backend().all_instances() if it.state in ('pending', 'running')]
    working = [it for it in all_tags if 'gbrowse-aws-balancer:draining' not in it]
    for master, count in Counter(it.get('gbrowse-aws-balancer:master') for it in working).items():
        PEAKS[master] = max(count, PEAKS.get(master, 0))


def refuse_duplicates(configs):
    # A type may stand once for each zone: EC2 refuses the whole call otherwise.
    seen = set()
    for config in configs:
        for override in config.get('Overrides') or []:
            subnet = override.get('SubnetId')
            zone = backend().get_subnet(subnet).availability_zone if subnet else override.get('AvailabilityZone')
            pool = (override.get('InstanceType'), zone)
            if pool in seen:
                raise error('InvalidFleetConfig', f'The fleet configuration contains duplicate instance pools: {pool}')
            seen.add(pool)


def create_fleet(self):
    self.error_on_dryrun()
    refuse_duplicates(self.params['LaunchTemplateConfigs'])
    own_tags = tags_by_kind(self.params.get('TagSpecifications'))
    wanted = int(self.params['TargetCapacitySpecification']['TotalTargetCapacity'])
    instances, errors = [], []
    for config in self.params['LaunchTemplateConfigs']:
        template, version = template_of(config['LaunchTemplateSpecification'])
        tags = tags_by_kind(version.data.get('TagSpecifications'))
        for kind, more in own_tags.items():
            tags[kind] = {**tags.get(kind, {}), **more}
        overrides = config.get('Overrides') or [{}]
        for override in sorted(overrides, key=lambda it: pool_of(it['InstanceType'])['price']):
            reference = {'LaunchTemplateId': template.id, 'Version': str(version.number)}
            chosen = {'LaunchTemplateSpecification': reference, 'Overrides': override}
            try:
                check_type(override['InstanceType'])
                free, code = room(override)
                message = REFUSALS[code]
                count = min(free, wanted)
                ids = launch(version.data, override, tags, count) if count > 0 else []
            except ServiceException as refusal:
                ids, code, message = [], refusal.code, refusal.message
            wanted -= len(ids)
            about = {'LaunchTemplateAndOverrides': chosen, 'Lifecycle': 'spot'}
            if ids:
                instances.append({**about, 'InstanceIds': ids, 'InstanceType': override['InstanceType']})
            if wanted > 0:
                errors.append({**about, 'ErrorCode': code, 'ErrorMessage': message})
    return ActionResult({'FleetId': f'fleet-{uuid.uuid4()}', 'Errors': errors, 'Instances': instances})


# --- What a mapping does not say of a device of the image's, the image says: RunInstances takes a mapping without a size.
# (EC2 User Guide, "Block device mappings")

_validate_mapping = InstanceResponse._validate_block_device_mapping


def validate_mapping(mapping):
    if 'DeleteOnTermination' not in mapping.get('Ebs', {}):
        _validate_mapping(mapping)


InstanceResponse._validate_block_device_mapping = staticmethod(validate_mapping)


# --- A launch template's tags change as everything's do. (EC2 API Reference, "CreateTags")

LaunchTemplate.tags = property(TaggedEC2Resource.get_tags, lambda self, tags: None)


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


Fleets.create_fleet = idempotent(create_fleet)


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
