"""Patches of moto 5.2.1 for what is called beside CreateFleet: RunInstances, StartInstances, GetConsoleOutput. The comment
above each says what behaviour of EC2 it restores. Importing the module puts them in force.
"""
from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.responses.general import General
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import parse_user_data

import ec2_behaviour as ec2
import ec2_spot as spot

NOT_LAUNCH_DATA = ('ClientToken', 'DryRun', 'LaunchTemplate', 'MaxCount', 'MinCount', 'TagSpecifications')


# --- RunInstances: the template under the request's own words, everything checked before anything is made, between
# MinCount and MaxCount instances as capacity allows, a spot request for each spot instance, idempotent by ClientToken,
# the root device of the image beside the devices that are named, the default security group when none is.
# (EC2 API Reference, "RunInstances")


def present(mapping):
    return {key: value for key, value in mapping.items() if value not in (None, '', [])}


def launch_data_of(parameters):
    """Launch data and tags by kind."""
    data, tags = {}, {}
    if parameters.get('LaunchTemplate'):
        _, version = spot.template_of(parameters['LaunchTemplate'])
        data.update(present(version.data))
        tags.update(spot.tags_by_kind(data.pop('TagSpecifications', None)))
    data.update(present({key: it for key, it in parameters.items() if key not in NOT_LAUNCH_DATA}))
    if isinstance(data.get('UserData'), (str, bytes)):
        data['UserData'] = parse_user_data(data['UserData'])
    for kind, more in spot.tags_by_kind(parameters.get('TagSpecifications')).items():
        tags[kind] = {**tags.get(kind, {}), **more}
    return data, tags


def check(data):
    account = ec2.backend()
    if not data.get('ImageId'):
        raise ec2.error('MissingParameter', 'The request must contain the parameter ImageId')
    image = account.describe_images(ami_ids=[data['ImageId']])[0]
    spot.check_type(data['InstanceType'])
    key = data.get('KeyName')
    if key is not None and key not in account.key_pairs:
        raise ec2.error('InvalidKeyPair.NotFound', f"The key pair '{key}' does not exist")
    cards = data.get('NetworkInterfaces') or []
    if cards and (data.get('SecurityGroupIds') or data.get('SubnetId')):
        message = 'Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request'
        raise ec2.error('InvalidParameterCombination', message)
    if not spot.groups_of(data):
        data['SecurityGroupIds'] = [account.get_security_group_by_name_or_id('default').id]
    data['BlockDeviceMappings'] = devices_of(data, image.root_device_name)


def devices_of(data, root):
    mappings = [{**it, 'Ebs': dict(it['Ebs'])} for it in data.get('BlockDeviceMappings') or [] if 'Ebs' in it]
    names = [it['DeviceName'] for it in mappings]
    for name in names:
        if names.count(name) > 1:
            message = f"The device '{name}' is used in more than one block-device mapping"
            raise ec2.error('InvalidBlockDeviceMapping', message)
    if root not in names:
        mappings.insert(0, {'DeviceName': root, 'Ebs': {'VolumeSize': 8, 'DeleteOnTermination': True}})
    for mapping in mappings:
        ebs = mapping['Ebs']
        snapshot = ebs.get('SnapshotId')
        if snapshot is not None and snapshot not in ec2.backend().snapshots:
            raise ec2.error('InvalidSnapshot.NotFound', f"The snapshot '{snapshot}' does not exist.")
        if mapping['DeviceName'] == root:
            ebs.setdefault('DeleteOnTermination', True)
            ebs.setdefault('VolumeSize', 8)
        elif snapshot is None and ebs.get('VolumeSize') is None:
            raise ec2.error('InvalidBlockDeviceMapping', 'ebs size or snapshot is required')
    return mappings


def subnet_of(data):
    cards = data.get('NetworkInterfaces') or []
    named = data.get('SubnetId') or next((it['SubnetId'] for it in cards if it.get('SubnetId')), None)
    if named is not None:
        return ec2.backend().get_subnet(named).id
    subnets = ec2.backend().get_default_subnets()
    zone = (data.get('Placement') or {}).get('AvailabilityZone') or sorted(subnets)[0]
    if zone not in subnets:
        raise ec2.error('InvalidParameterValue', f'Invalid availability zone: [{zone}]')
    return subnets[zone].id


def run_instances(self):
    data, tags = launch_data_of(self.params)
    data.setdefault('InstanceType', 'm1.small')
    check(data)
    self.error_on_dryrun()
    least, most = int(self.params.get('MinCount') or 1), int(self.params.get('MaxCount') or 1)
    if least > most:
        raise ec2.error('InvalidParameterCombination', 'MinCount may not exceed MaxCount')
    market = data.get('InstanceMarketOptions') or {}
    override = {'InstanceType': data['InstanceType'], 'SubnetId': subnet_of(data)}
    lifecycle = None
    if market.get('MarketType') == 'spot':
        lifecycle, override['MaxPrice'] = 'spot', (market.get('SpotOptions') or {}).get('MaxPrice')
    free, code = spot.room(override)
    if free < least:
        raise ec2.error(code, spot.REFUSALS[code])
    ids = spot.launch(data, override, tags, min(free, most), lifecycle=lifecycle)
    reservation = next(
        it for it in ec2.backend().reservations.values() if any(one.id in ids for one in it.instances)
    )
    return ActionResult(reservation)


InstanceResponse.run_instances = ec2.idempotent(run_instances)


# --- The console shows what the instance wrote to it, its host keys among it. (EC2 API Reference, "GetConsoleOutput")


def get_console_output(self):
    self.error_on_dryrun()
    instance = self.ec2_backend.get_instance(self.params['InstanceId'])
    host = ec2.MACHINES.get(instance.id)
    text = host.console() if host is not None and instance.state == 'running' else ''
    output = Base64EncodedString.from_raw_string(text)
    return ActionResult({'InstanceId': instance.id, 'Timestamp': utcnow(), 'Output': output})


General.get_console_output = get_console_output
