"""EC2 with instances that are real hosts: the stand-in of test/peers with machines of another kind, volumes that hold
data, metadata, security groups that block, and request throttling. Runs inside of enter.py, as root.

    python3 cloud.py --directory DIR [--outside] [--hide DIRECTORY]... [--store GIB] [--image ROOT | --emulated IMAGE [--quick]]

DIR is for its files. `--outside`: the master is not an EC2 instance itself. `--hide`: a directory of this machine that
instances see empty. `--image`: the root of a Debian system with systemd and cloud-init, which instances boot
instead of showing this machine's own files. `--emulated`: the directory of an image that instances boot under qemu;
`--quick`: with a process 1 of ours instead of systemd and cloud-init. The rest is as in ec2_stand_in.py; control has these
besides:

    POST /control/host {instance}                process id of its init, addresses, network
    POST /control/network {instance, state}      `up`, `dark`, `lossy`
    POST /control/import-snapshot {file, gib}    a snapshot with the content of a file; gives its id
    POST /control/clearFaults                           no fault is left
"""
import argparse
import os
import shutil
import signal
import sys
import threading
import time

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../peers')
sys.path.insert(0, PEERS)

import ec2_stand_in as stand_in  # noqa: E402  the first: it tells moto which images there are
import ec2_behaviour as ec2  # noqa: E402
import ec2_spot as spot  # noqa: E402
import images  # noqa: E402
import metadata  # noqa: E402
import run_instances  # noqa: E402, F401
import throttle  # noqa: E402
import volumes  # noqa: E402
from host import Host, remove_left_cgroups  # noqa: E402
from moto.ec2.models import elastic_network_interfaces as network_interfaces  # noqa: E402
from moto.ec2.models.instances import Instance, StateReason  # noqa: E402
from region import MASTER_OUTSIDE, Region, public_addresses  # noqa: E402
from virtual_machine import VirtualMachine  # noqa: E402

ec2.SETTINGS['throttle'] = 1


def parse_arguments():
    parser = argparse.ArgumentParser(description='EC2 whose instances are real hosts')
    parser.add_argument('--directory', required=True)
    parser.add_argument('--outside', action='store_true')
    parser.add_argument('--hide', action='append', default=[])
    parser.add_argument('--store', type=int, default=100)
    parser.add_argument('--image')
    parser.add_argument('--emulated')
    parser.add_argument('--quick', action='store_true')
    return parser.parse_args()


OPTIONS = parse_arguments()
REGION = Region(OPTIONS.directory, OPTIONS.hide, OPTIONS.image, OPTIONS.emulated, OPTIONS.quick)
ADDRESSES = public_addresses()
network_interfaces.random_public_ip = lambda: next(ADDRESSES)


# --- Instances are hosts: pending until they have booted; one that powers itself off is terminated or stopped, as its
# InstanceInitiatedShutdownBehavior says. (EC2 User Guide, "Amazon EC2 instance state changes")


def place(_instance):
    """Its addresses are those of its subnet and its public address, as moto gave them."""


def power_on(instance):
    previous = ec2.MACHINES.get(instance.id)
    kind = VirtualMachine if OPTIONS.emulated else Host
    host = ec2.MACHINES[instance.id] = kind(REGION, instance)
    threading.Thread(target=life_of, args=(host, previous), daemon=True).start()


def life_of(host, previous):
    instance, begin = host.instance, time.time()
    if previous is not None:
        previous.over.wait(30)
    try:
        host.boot()
    except (RuntimeError, OSError) as problem:
        fail(host, str(problem))
        return
    time.sleep(max(0, ec2.SETTINGS['pending'] - (time.time() - begin)))
    with ec2.LOCK:
        if instance.state == 'pending':
            ec2.set_state(instance, 'running')
    host.wait()
    with ec2.LOCK:
        # Not where it was stopped, and may have been started again meanwhile.
        if not host.ending and instance.state in ('pending', 'running'):
            if instance.instance_initiated_shutdown_behavior == 'terminate':
                instance.terminate()
            else:
                instance.stop()


def fail(host, problem):
    print(f'{host.instance.id}: {problem}', file=sys.stderr, flush=True)
    with ec2.LOCK:
        if host.instance.state == 'pending':
            host.instance.terminate()
            code = 'Server.InternalError'
            host.instance.state_reason = StateReason(f'{code}: Internal error on launch', code)


_start, _stop = Instance.start, Instance.stop


def start(self):
    previous = _start(self)
    ec2.set_state(self, 'pending')
    power_on(self)
    return previous


def stop(self):
    previous = _stop(self)
    for mapping in self.block_device_mapping.values():
        volumes.detach(mapping.volume_id)
    ec2.MACHINES[self.id].stop()
    return previous


Instance.start, Instance.stop = start, stop
ec2.place, ec2.power_on = place, power_on


# --- A spot instance that is to be taken back hears of it in its metadata. (EC2 User Guide, "Spot Instance interruption
# notices")

_interrupt = spot.interrupt


def interrupt(instance, notice):
    ec2.MACHINES[instance.id].interruption = metadata.moment(notice)
    _interrupt(instance, notice)


spot.interrupt = interrupt


# --- Control


def host_of(given):
    return ec2.MACHINES[given['instance']]


def import_snapshot(given):
    zone = sorted(ec2.backend().get_default_subnets())[0]
    volume = ec2.backend().create_volume(given['gib'], zone)
    shutil.copyfile(given['file'], volumes.file_of(volume.id))
    volumes.grow(volumes.file_of(volume.id), given['gib'])
    snapshot = ec2.backend().create_snapshot(volume.id, 'imported')
    snapshot.status = snapshot.state = 'completed'
    return {'snapshot': snapshot.id}


stand_in.COMMANDS.update(
    {
        'host': lambda given: host_of(given).describe(),
        'network': lambda given: host_of(given).set_network(given['state']) or {},
        'import-snapshot': import_snapshot,
        'clearFaults': lambda _: stand_in.FAULTS.clear() or {},
    }
)


def follow_groups(action):
    """Rules and members may have changed."""
    if action.startswith('Describe'):
        return
    REGION.follow_groups()
    for machine in ec2.MACHINES.values():
        if machine.process is not None and machine.process.poll() is None:
            machine.follow_groups()


def throttled(action, parameters):
    return throttle.refuse(action, parameters) if ec2.SETTINGS['throttle'] else None


stand_in.AFTER_CALL.append(follow_groups)
stand_in.LIMITS.append(throttled)


# --- Start and end


def run_master():
    """The master as an instance of the account; gives what tells it where it is."""
    account = ec2.backend()
    subnet = account.get_default_subnets()[sorted(account.get_default_subnets())[0]]
    group = account.get_security_group_by_name_or_id('default')
    reservation = account.run_instances(
        stand_in.IMAGE,
        1,
        None,
        [],
        security_group_ids=[group.id],
        instance_type='m5.large',
        is_instance_type_default=False,
        subnet_id=subnet.id,
        associate_public_ip=None,
        region_name=ec2.REGION,
        metadata_options={'HttpTokens': 'required'},
        tags={'instance': {'Name': 'GBrowse master'}},
    )
    master = reservation.instances[0]
    ec2.set_state(master, 'running')
    REGION.put_master_inside(master)
    return {'instance': master.id, 'address': master.private_ip}


def end():
    REGION.down()
    volumes.close_store()


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if OPTIONS.image:
        remove_left_cgroups()
    volumes.open_store(OPTIONS.directory, OPTIONS.store)
    REGION.up()
    images.publish(ec2.backend())
    if OPTIONS.outside:
        REGION.put_master_outside()
        master = {'address': MASTER_OUTSIDE}
    else:
        master = run_master()
    stand_in.run({'master': master}, end)


if __name__ == '__main__':
    main()
