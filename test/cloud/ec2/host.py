"""An instance as a real host: a network namespace with an address of the VPC, process, mount and host-name namespaces,
a root filesystem that is this machine's under an overlay in memory, sshd, and the user-data run by root.
"""
import glob
import os
import shutil
import signal
import subprocess
import threading
import time

import cloud_init
import ec2_behaviour as ec2
import images
import metadata
import security_groups
import volumes
from namespaces import ip, listen_in, sh

HERE = os.path.dirname(os.path.abspath(__file__))
# The other end of an instance's link, as its only neighbour.
GATEWAY = '169.254.1.1'
BOOT_PATIENCE = 30


def public_key_of(instance):
    pair = ec2.backend().key_pairs.get(instance.key_name)
    return pair.material_public.decode().strip() if pair else ''


def user_data_of(instance):
    data = instance.user_data
    return data.decode() if hasattr(data, 'decode') else data or ''


def cgroup_root():
    with open('/proc/mounts') as file:
        return next((line.split()[1] for line in file if line.split()[2] == 'cgroup2'), None)


def remove_cgroup(directory):
    """Directories alone: the files of a cgroup go with it. What is left in one is ended first."""
    try:
        with open(f'{directory}/cgroup.kill', 'w') as file:
            file.write('1')
        for path, _, _ in os.walk(directory, topdown=False):
            os.rmdir(path)
    except OSError:
        # It is not there, or a process takes its time to go: the cgroup is empty then, and does no harm.
        pass


def remove_left_cgroups():
    """Those of clouds that were killed: nothing is in them any more."""
    for directory in glob.glob(f'{cgroup_root()}/gbrowse-cloud-*'):
        with open(f'{directory}/cgroup.events') as file:
            if 'populated 0' in file.read():
                remove_cgroup(directory)


class Host:
    """What `ec2_behaviour.MACHINES` holds: it is started with its instance, and `stop` ends it without waiting."""

    count = 0

    def __init__(self, region, instance):
        Host.count += 1
        self.region, self.instance = region, instance
        self.namespace, self.link = instance.id, f'host{Host.count}'
        self.directory = f'{region.directory}/{instance.id}'
        self.pid, self.process, self.metadata_server = None, None, None
        self.network, self.rules, self.public_address = 'up', None, None
        # The instance's root volume, where it boots a system of its own: kept while it is stopped.
        self.disk = f'{region.directory}/disks/{instance.id}' if region.image else None
        self.interruption = None
        # What is done with the disk while it is down for a restart.
        self.when_down = None
        self.stopping, self.ending, self.over = threading.Lock(), False, threading.Event()

    # --- Start

    def boot(self):
        self.lay_cable()
        self.follow_groups()
        self.metadata_server = metadata.serve(self, lambda: listen_in(self.namespace, metadata.ADDRESS))
        self.power_up()

    def power_up(self):
        self.write_seed()
        self.start_processes()
        for device, mapping in self.instance.block_device_mapping.items():
            if device != self.instance.root_device_name:
                volumes.attach(self, mapping.volume_id, device)
        self.release_init()

    def wait(self):
        """Until it powers itself off; a reboot (process 1 of a namespace ends by SIGHUP then, reboot(2)) is not the end."""
        while self.process.wait() == -signal.SIGHUP and self.disk and not self.ending:
            for mapping in self.instance.block_device_mapping.values():
                volumes.detach(mapping.volume_id)
            if self.when_down is not None:
                self.when_down()
                self.when_down = None
            shutil.rmtree(f'{self.directory}/seed')
            os.unlink(f'{self.directory}/up')
            self.power_up()

    def restart(self, when_down):
        """SIGRTMIN+5 is systemd's word for "reboot"."""
        self.when_down = when_down
        os.kill(self.pid, signal.SIGRTMIN + 5)

    def lay_cable(self):
        address = self.instance.private_ip
        sh('ip', 'netns', 'add', self.namespace)
        ip(
            f'link add {self.link} type veth peer name eth0 netns {self.namespace}',
            f'link set {self.link} up',
            f'addr add {GATEWAY}/32 dev {self.link}',
            f'route add {address}/32 dev {self.link} src {self.region.address}',
        )
        ip(
            'link set lo up',
            f'addr add {metadata.ADDRESS[0]}/32 dev lo',
            f'link set eth0 address {self.instance.nics[0].mac_address}',
            f'addr add {address}/32 dev eth0',
            'link set eth0 up',
            f'route add {GATEWAY} dev eth0',
            f'route add default via {GATEWAY}',
            namespace=self.namespace,
        )

    def write_seed(self):
        os.makedirs(f'{self.directory}/seed', exist_ok=True)
        files = cloud_init.seed(user_data_of(self.instance), public_key_of(self.instance))
        for name, text in {'address': self.instance.private_ip, **files}.items():
            with open(f'{self.directory}/seed/{name}', 'w') as file:
                file.write(text)

    def start_processes(self):
        name = self.instance.private_dns_name.split('.')[0]
        with open(f'{self.directory}/console.log', 'w') as console:
            self.process = subprocess.Popen(
                ['ip', 'netns', 'exec', self.namespace]
                + ['unshare', '-m', '-p', '-u', '-i', '-C', '--fork', '--kill-child=KILL']
                + self.boot_command(name),
                env={'PATH': os.environ['PATH'], 'HERE': HERE, 'container': 'cloud'},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=self.enter_cgroup,
            )
        children = f'/proc/{self.process.pid}/task/{self.process.pid}/children'
        deadline = time.time() + BOOT_PATIENCE
        while time.time() < deadline and self.process.poll() is None:
            with open(children) as file:
                pids = file.read().split()
            # The mount namespace of its own shows that it is past pivot_root.
            if pids and os.path.exists(f'{self.directory}/up'):
                self.pid = int(pids[0])
                return
            time.sleep(0.01)
        raise RuntimeError(f'{self.instance.id} did not boot: {self.console()}')

    def boot_command(self, name):
        if self.disk is None:
            return ['sh', f'{HERE}/boot.sh', self.directory, name, ' '.join(self.region.hidden)]
        root = ':'.join([*images.layers.get(self.instance.image_id, []), self.region.image])
        return ['sh', f'{HERE}/boot-systemd.sh', self.directory, name, root, self.disk]

    def enter_cgroup(self):
        """systemd wants a cgroup of its own, where there are any."""
        if self.disk is not None and cgroup_root() is not None:
            os.makedirs(self.cgroup, exist_ok=True)
            with open(f'{self.cgroup}/cgroup.procs', 'w') as file:
                file.write('0')

    @property
    def cgroup(self):
        return f'{cgroup_root()}/gbrowse-cloud-{os.getpid()}-{self.instance.id}'

    def release_init(self):
        """Its disks are there: cloud-init, sshd and the user-data may start."""
        self.run('touch /run/cloud/go')

    def console(self):
        with open(f'{self.directory}/console.log', errors='replace') as file:
            return file.read()

    def run(self, command):
        """Runs a shell command inside, as root. `-r`: its own root, or an absolute link would lead into ours."""
        return sh('nsenter', '-t', str(self.pid), '-m', '-p', '-n', '-u', '-i', '-r', '-w', 'sh', '-c', command)

    # --- Network

    def follow_groups(self):
        """Puts the rules of its security groups, or what a test has done to its network, in force."""
        rules = self.wanted_rules()
        if rules != self.rules:
            sh('ip', 'netns', 'exec', self.namespace, 'nft', '-f', '-', stdin=rules)
            self.rules = rules
        if self.instance.public_ip != self.public_address:
            self.region.publish(self.public_address, self.instance.public_ip, self.instance.private_ip)
            self.public_address = self.instance.public_ip

    def wanted_rules(self):
        return security_groups.rules_of(self.instance, self.network)

    def set_network(self, state):
        self.network = state
        self.follow_groups()

    # --- Volumes

    def plug(self, volume_id, device):
        volumes.plug_loop(self, volume_id, device)

    def unplug(self, volume_id):
        volumes.unplug_loop(self, volume_id)

    def resize(self, volume_id):
        volumes.resize_loop(volume_id)

    # --- End

    def stop(self):
        threading.Thread(target=self.end, daemon=True).start()

    def end(self):
        self.ending = True
        with self.stopping:
            try:
                self.take_down()
            finally:
                self.over.set()

    def take_down(self):
        if self.process is not None and self.process.poll() is None:
            if self.pid is not None:
                # SIGRTMIN+4 is systemd's word for "power off"; it ignores SIGTERM.
                os.kill(self.pid, signal.SIGTERM if self.disk is None else signal.SIGRTMIN + 4)
            try:
                self.process.wait(1.5 if self.disk is None else 10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.metadata_server is not None:
            self.metadata_server.shutdown()
            self.metadata_server.server_close()
            self.metadata_server = None
        self.region.publish(self.public_address, None, None)
        self.public_address = None
        sh('ip', 'link', 'delete', self.link, check=False)
        sh('ip', 'netns', 'delete', self.namespace, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)
        if self.disk is not None:
            remove_cgroup(self.cgroup)
            if self.instance.state in ('shutting-down', 'terminated'):
                shutil.rmtree(self.disk, ignore_errors=True)

    def describe(self):
        return {
            'pid': self.pid,
            'address': self.instance.private_ip,
            'publicAddress': self.instance.public_ip,
            'network': self.network,
        }
