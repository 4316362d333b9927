"""EBS as it is for those who read and write: a volume is a sparse file and a loop device, a snapshot a copy that shares
the file's blocks. Importing the module patches moto; the comments say which behaviour of EC2 each patch restores.

The files lie on an XFS image of our own, for its reflinks. Loop devices detach themselves when nobody has them open any
more, so that a killed test leaves none behind.
"""
import fcntl
import os
import time

from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot, VolumeModification

import ec2_behaviour as ec2
from namespaces import sh

FICLONE = 0x40049409
GIB = 1 << 30
# Seconds that EC2 takes minutes for.
ec2.SETTINGS.update({'snapshot': 0.4, 'modification': 0.3, 'attach': 0.1})

# Where the files are; set by `open_store`.
store = ''
# By volume id: the open loop device (its name), and the host that has the volume.
devices, holders = {}, {}


def open_store(directory, gib):
    global store
    image, store = f'{directory}/store.img', f'{directory}/store'
    os.mkdir(store)
    with open(image, 'wb') as file:
        file.truncate(gib * GIB)
    sh('mkfs.xfs', '-q', '-m', 'reflink=1', image)
    sh('mount', '-o', 'loop', image, store)


def close_store():
    for volume_id in list(holders):
        detach(volume_id)
    sh('umount', '--lazy', store, check=False)


def file_of(resource_id):
    return f'{store}/{resource_id}'


def clone(source, target):
    with open(source, 'rb') as old, open(target, 'wb') as new:
        fcntl.ioctl(new.fileno(), FICLONE, old.fileno())


def grow(path, gib):
    with open(path, 'ab') as file:
        file.truncate(max(gib * GIB, os.path.getsize(path)))


# --- The instance's side


def by_id(volume_id):
    """The link that udev makes for a volume on a Nitro instance. (EBS User Guide, "Map NVMe device names")"""
    return f'/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{volume_id.replace("-", "")}'


def attach(host, volume_id, device):
    host.plug(volume_id, device)
    holders[volume_id] = host


def detach(volume_id):
    host = holders.pop(volume_id, None)
    if host is not None:
        host.unplug(volume_id)


def plug_loop(host, volume_id, device):
    """Makes the device nodes inside: the name that was asked for, the link by id, and the kernel's name, as lsblk has it."""
    name = sh('losetup', '--find', '--show', file_of(volume_id))
    devices[volume_id] = (name, os.open(name, os.O_RDONLY))
    # Detached while it is open: the kernel does it at the last close.
    sh('losetup', '--detach', name)
    number = os.stat(name).st_rdev
    node = f'b {os.major(number)} {os.minor(number)}'
    host.run(
        f'mknod -m 660 {name} {node} && ln -sf {name} {device} && ln -sf {name} {by_id(volume_id)}'
        if name != device
        else f'mknod -m 660 {name} {node}'
    )


def unplug_loop(host, volume_id):
    name, descriptor = devices.pop(volume_id)
    os.close(descriptor)
    if host.process is not None and host.process.poll() is None:
        links = f'{by_id(volume_id)} {name}'
        sh_quietly(host, f'find /dev -maxdepth 1 -lname {name} -delete; rm -f {links}')


def resize_loop(volume_id):
    sh('losetup', '--set-capacity', devices[volume_id][0])


def sh_quietly(host, command):
    try:
        host.run(command)
    except RuntimeError:
        # It is ending.
        pass


# --- A volume has content: that of its snapshot, else zeros. A larger size than the snapshot's is empty space behind it.
# (EBS User Guide, "Create an Amazon EBS volume")

_create_volume = EBSBackend.create_volume


def create_volume(self, size, zone_name, snapshot_id=None, encrypted=False, **rest):
    if snapshot_id is not None:
        snapshot = self.get_snapshot(snapshot_id)
        if snapshot.status != 'completed':
            raise ec2.error('IncorrectState', f'Snapshot is in invalid state - {snapshot.status}')
        size = size or snapshot.volume_size
        if int(size) < int(snapshot.volume_size):
            message = f"Volume of size {size}GB is smaller than snapshot '{snapshot_id}', expect size >= {snapshot.volume_size}GB"
            raise ec2.error('InvalidBlockDeviceMapping', message)
    rest.pop('kms_key_id', None)
    volume = _create_volume(self, int(size), zone_name, snapshot_id=snapshot_id, **rest)
    volume.encrypted = encrypted
    path = file_of(volume.id)
    if snapshot_id is not None and os.path.exists(file_of(snapshot_id)):
        clone(file_of(snapshot_id), path)
    else:
        open(path, 'wb').close()
    grow(path, volume.size)
    return volume


_delete_volume = EBSBackend.delete_volume


def delete_volume(self, volume_id):
    volume = _delete_volume(self, volume_id)
    os.unlink(file_of(volume_id))
    return volume


EBSBackend.create_volume = create_volume
EBSBackend.delete_volume = delete_volume


# --- AttachVolume takes a moment, refuses what is taken, and does not leave the zone. (EC2 API Reference, "AttachVolume")

_attach_volume = EBSBackend.attach_volume


def attach_volume(self, volume_id, instance_id, device_path, delete_on_termination=False):
    volume, instance = self.get_volume(volume_id), self.get_instance(instance_id)
    if volume.attachment:
        raise ec2.error('VolumeInUse', f'{volume_id} is already attached to an instance')
    if device_path in instance.block_device_mapping:
        message = f'Invalid value {device_path!r} for unixDevice. Attachment point {device_path} is already in use'
        raise ec2.error('InvalidParameterValue', message)
    if volume.availability_zone != str(instance._placement.zone):
        message = f"The volume '{volume_id}' is not in the same availability zone as instance '{instance_id}'"
        raise ec2.error('InvalidVolume.ZoneMismatch', message)
    attachment = _attach_volume(self, volume_id, instance_id, device_path, delete_on_termination)
    host = ec2.MACHINES.get(instance_id)
    if host is not None:
        attachment.status = 'attaching'

        def finish():
            attach(host, volume_id, device_path)
            attachment.status = 'attached'

        ec2.later(ec2.SETTINGS['attach'], finish)
    return attachment


# DetachVolume needs no instance. (EC2 API Reference, "DetachVolume")

_detach_volume = EBSBackend.detach_volume


def detach_volume(self, volume_id, instance_id=None, device_path=None):
    attached = self.get_volume(volume_id).attachment
    if attached is None:
        raise ec2.error('IncorrectState', f"Volume '{volume_id}' is in the 'available' state.")
    detached = _detach_volume(self, volume_id, instance_id or attached.instance.id, device_path)
    detach(volume_id)
    return detached


EBSBackend.attach_volume = attach_volume
EBSBackend.detach_volume = detach_volume


# --- A snapshot holds what the volume held when it was asked for, is pending for a while, and keeps its size whatever the
# volume does later. (EBS User Guide, "Amazon EBS snapshots")

_create_snapshot = EBSBackend.create_snapshot


def create_snapshot(self, volume_id, *args, **kwargs):
    snapshot = _create_snapshot(self, volume_id, *args, **kwargs)
    path = file_of(volume_id)
    if os.path.exists(path):
        if volume_id in devices:
            sh('blockdev', '--flushbufs', devices[volume_id][0], check=False)
        clone(path, file_of(snapshot.id))
    snapshot.size, snapshot.status = snapshot.volume.size, 'pending'
    snapshot.state = 'pending'
    snapshot.asked_at = time.time()

    def complete():
        snapshot.status = snapshot.state = 'completed'

    ec2.later(ec2.SETTINGS['snapshot'], complete)
    return snapshot


def progress_of(snapshot):
    if snapshot.status == 'completed':
        return '100%'
    passed = time.time() - getattr(snapshot, 'asked_at', 0)
    return f'{min(99, int(100 * passed / ec2.SETTINGS["snapshot"]))}%'


_delete_snapshot = EBSBackend.delete_snapshot


def delete_snapshot(self, snapshot_id):
    snapshot = _delete_snapshot(self, snapshot_id)
    if os.path.exists(file_of(snapshot_id)):
        os.unlink(file_of(snapshot_id))
    return snapshot


EBSBackend.create_snapshot = create_snapshot
EBSBackend.delete_snapshot = delete_snapshot
Snapshot.volume_size = property(lambda self: getattr(self, 'size', self.volume.size))
Snapshot.progress = property(progress_of)


# --- A volume grows in place while it is in use; the modification goes through its states, and the next one must wait.
# (EBS User Guide, "Modify an EBS volume"; six hours there, a setting here)

_modify_volume = EBSBackend.modify_volume
ec2.SETTINGS['modification_pause'] = 0


def modify_volume(self, volume_id, target_size=None, *args, **kwargs):
    volume = self.get_volume(volume_id)
    if target_size is not None and int(target_size) < int(volume.size):
        raise ec2.error('InvalidParameterValue', 'New size cannot be smaller than existing size')
    last = volume.modifications[-1] if volume.modifications else None
    if last is not None and time.time() < last.asked_at + max(
        ec2.SETTINGS['modification'], ec2.SETTINGS['modification_pause']
    ):
        message = "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications per EBS volume."
        raise ec2.error('VolumeModificationRateExceeded', message)
    _modify_volume(self, volume_id, target_size and int(target_size), *args, **kwargs)
    volume.modifications[-1].asked_at = time.time()
    if target_size is not None:
        grow(file_of(volume_id), int(target_size))
        if volume_id in holders:
            holders[volume_id].resize(volume_id)
    return volume


def modification_share(modification):
    passed = time.time() - modification.asked_at
    return min(1, passed / max(ec2.SETTINGS['modification'], 0.001))


def modification_state(modification):
    share = modification_share(modification)
    return 'modifying' if share < 0.5 else 'optimizing' if share < 1 else 'completed'


EBSBackend.modify_volume = modify_volume
VolumeModification.asked_at = 0
VolumeModification.modification_state = property(modification_state)
VolumeModification.progress = property(lambda self: int(100 * modification_share(self)))
