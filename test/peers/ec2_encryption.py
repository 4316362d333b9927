"""Patches of moto 5.2.1 for the encryption of volumes, with a control command each. Importing the module puts them in
force.

    POST /control/default-key {enabled, key}    new volumes are encrypted by default, with this key
    POST /control/encrypt {id, key}             a snapshot, or that of an image, is encrypted with this key
"""
from moto.core.responses import ActionResult
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instances import Instance
from moto.ec2.responses.settings import Settings

from ec2_behaviour import backend

DEFAULT = {'key': 'alias/aws/ebs'}


# --- AWS's own key has its alias for a name, another one its ARN. (EC2 API Reference, "GetEbsDefaultKmsKeyId")
def get_ebs_default_kms_key_id(self):
    self.error_on_dryrun()
    return ActionResult({'KmsKeyId': DEFAULT['key']})


Settings.get_ebs_default_kms_key_id = get_ebs_default_kms_key_id


# --- A volume has the key of its snapshot, or else the account's default. (EBS User Guide, "Amazon EBS encryption")

_create_volume = EBSBackend.create_volume


def create_volume(self, *args, **kwargs):
    volume = _create_volume(self, *args, **kwargs)
    snapshot = self.snapshots.get(volume.snapshot_id)
    if snapshot is not None and snapshot.encrypted:
        volume.encrypted, volume.kms_key_id = True, snapshot.kms_key_id
    elif not volume.encrypted and getattr(self, 'ebs_encryption_by_default', False):
        volume.encrypted, volume.kms_key_id = True, DEFAULT['key']
    return volume


EBSBackend.create_volume = create_volume


# --- An instance's root volume is made from its image's snapshot. moto makes an empty one.

_add_block_device = Instance.add_block_device


def add_block_device(self, size, device_path, *args, **kwargs):
    _add_block_device(self, size, device_path, *args, **kwargs)
    image = self.ec2_backend.amis.get(self.image_id)
    if image is not None and device_path == image.root_device_name and image.ebs_snapshot.encrypted:
        volume = self.block_device_mapping[device_path]
        made = self.ec2_backend.volumes[volume.volume_id]
        made.encrypted, made.kms_key_id = True, image.ebs_snapshot.kms_key_id


Instance.add_block_device = add_block_device


def set_default_key(given):
    backend().ebs_encryption_by_default = given['enabled']
    DEFAULT['key'] = given['key']
    return {}


def encrypt(given):
    image = backend().amis.get(given['id'])
    snapshot = image.ebs_snapshot if image else backend().snapshots[given['id']]
    snapshot.encrypted, snapshot.kms_key_id = True, given['key']
    return {}


COMMANDS = {'default-key': set_default_key, 'encrypt': encrypt}
