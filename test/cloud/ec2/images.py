"""AMIs as they are for those who boot from them: an image holds what the root volume of its instance held when it was
made. Importing the module patches moto 5.2.1; the comments say which behaviour of EC2 each patch restores.
"""
import os
import shutil
from datetime import datetime

from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami, AmiBackend
from moto.ec2.utils import random_ami_id

import ec2_behaviour as ec2
import ec2_spot as spot
from namespaces import sh

# Seconds that EC2 takes minutes for.
ec2.SETTINGS.setdefault('image', 1)

# Who publishes Debian's images (Debian's wiki, "Cloud/AmazonEC2Image").
DEBIAN = '136693071363'
OFFICIAL = {
    'debian-12-amd64-20260101-1': '2026-01-01T00:00:00+00:00',
    'debian-12-amd64-20260201-1': '2026-02-01T00:00:00+00:00',
    'debian-12-backports-amd64-20260301-1': '2026-03-01T00:00:00+00:00',
    'debian-13-amd64-20260301-1': '2026-03-01T00:00:00+00:00',
}

# Directories that lie above the system's root, by AMI.
layers = {}


def publish(account):
    """The images of a distribution, as every account of the region sees them."""
    for number, (name, made) in enumerate(OFFICIAL.items()):
        image_id = f'ami-00000000000deb{number:03d}'
        image = Ami(
            account,
            image_id,
            name=name,
            owner_id=DEBIAN,
            public=True,
            virtualization_type='hvm',
            architecture='x86_64',
            hypervisor='xen',
            root_device_type='ebs',
            root_device_name='/dev/xvda',
        )
        image.creation_date = datetime.fromisoformat(made)
        account.amis[image_id] = image


# --- CreateImage: names are unique in an account, the tags are those of the call for the image and for its snapshots, the
# instance is restarted for it, and the image is pending for a while. (EC2 API Reference, "CreateImage")


def create_image(self, instance_id, name, description, tag_specifications):
    if any(it.name == name and it.owner_id == self.account_id for it in self.amis.values()):
        raise ec2.error('InvalidAMIName.Duplicate', f'AMI name {name} is already in use by AMI')
    instance = self.get_instance(instance_id)
    if instance.state not in ('running', 'stopped'):
        raise ec2.error('IncorrectInstanceState', f"The instance '{instance_id}' is not in a valid state")
    source = self.describe_images(ami_ids=[instance.image_id])[0]
    image = Ami(
        self,
        random_ami_id(),
        instance=instance,
        name=name,
        description=description,
        state='pending',
        root_device_type='ebs',
        root_device_name=source.root_device_name,
        snapshot_description=f'Created by CreateImage({instance_id})',
    )
    image.architecture = source.architecture
    tags = spot.tags_by_kind(tag_specifications)
    image.add_tags(tags.get('image', {}))
    image.ebs_snapshot.add_tags(tags.get('snapshot', {}))
    host = ec2.MACHINES[instance.id]
    if host.disk is None:
        raise ec2.error('OperationNotPermitted', 'instances of this place have no root volume of their own')
    self.amis[image.id] = image

    def keep():
        keep_disk(host, image)
        ec2.later(ec2.SETTINGS['image'], lambda: setattr(image, 'state', 'available'))

    host.restart(keep)
    return image


def keep_disk(host, image):
    layer = f'{host.region.directory}/images/{image.id}'
    os.makedirs(os.path.dirname(layer), exist_ok=True)
    sh('cp', '-a', f'{host.disk}/upper', layer)
    layers[image.id] = [layer, *layers.get(host.instance.image_id, [])]


_deregister_image = AmiBackend.deregister_image


def deregister_image(self, ami_id):
    _deregister_image(self, ami_id)
    # Machines that were started from it go on: their mounts hold the files.
    for layer in layers.pop(ami_id, [])[:1]:
        shutil.rmtree(layer, ignore_errors=True)


EC2Backend.create_image = create_image
EC2Backend.deregister_image = deregister_image
