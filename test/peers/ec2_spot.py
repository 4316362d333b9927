"""Patches of moto 5.2.1 for spot instances, as in ec2_behaviour.py: their requests, interruptions and CreateFleet. Importing
the module puts them in force.
"""
import uuid
from collections import Counter

import moto.ec2.utils as utils
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.ec2.models.instances import StateReason
from moto.ec2.models.spot_requests import SpotRequestBackend
from moto.ec2.responses.fleets import Fleets

import ec2_behaviour
from ec2_behaviour import DEFAULT_POOL, POOLS, REGION, backend, error, idempotent, later, tags_of

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
        ec2_behaviour.power_on(instance)
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


def refuse_request_tags(tags):
    # EC2 launches nothing on demand from a template that has tags for a spot request.
    if 'spot-instances-request' in tags:
        message = (
            'You cannot specify tags for Spot instances requests '
            'if there are no Spot instances requests being created by the request.'
        )
        raise error('InvalidParameterValue', message)


def create_fleet(self):
    self.error_on_dryrun()
    refuse_duplicates(self.params['LaunchTemplateConfigs'])
    own_tags = tags_by_kind(self.params.get('TagSpecifications'))
    wanted = int(self.params['TargetCapacitySpecification']['TotalTargetCapacity'])
    is_spot = self.params['TargetCapacitySpecification'].get('DefaultTargetCapacityType') == 'spot'
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
                if not is_spot:
                    refuse_request_tags(tags)
                free, code = room(override) if is_spot else (wanted, 'InsufficientInstanceCapacity')
                message = REFUSALS[code]
                count = min(free, wanted)
                lifecycle = 'spot' if is_spot else None
                ids = launch(version.data, override, tags, count, lifecycle) if count > 0 else []
            except ServiceException as refusal:
                ids, code, message = [], refusal.code, refusal.message
            wanted -= len(ids)
            about = {'LaunchTemplateAndOverrides': chosen, 'Lifecycle': 'spot' if is_spot else 'on-demand'}
            if ids:
                instances.append({**about, 'InstanceIds': ids, 'InstanceType': override['InstanceType']})
            if wanted > 0:
                errors.append({**about, 'ErrorCode': code, 'ErrorMessage': message})
    return ActionResult({'FleetId': f'fleet-{uuid.uuid4()}', 'Errors': errors, 'Instances': instances})


Fleets.create_fleet = idempotent(create_fleet)
