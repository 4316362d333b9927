"""An instance as a virtual machine under qemu, with a kernel of its own: NVMe volumes that come and go, device mapper,
reboots as they are. It is emulated (TCG needs no KVM), so that a boot with systemd and cloud-init takes minutes; where the
region is `quick`, machine-init.sh stands in for both.
"""
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import threading
import time

import dhcp
import security_groups
import volumes
from host import GATEWAY, HERE, Host
from namespaces import in_namespace, ip, sh

MEBIBYTES = 1536
# PCIe ports that volumes are plugged into.
SLOTS = 8
POWER_OFF_PATIENCE = 120
KERNEL = 'root=LABEL=cloudroot rw console=ttyS0,115200 nvme_core.io_timeout=4294967295'
# What follows `--` is for process 1.
QUICK_INIT = (
    'panic=-1 init=/bin/sh --'
    ' -c "mkdir -p /run/cloud; tar -xf /dev/vda -C /run/cloud; exec sh /run/cloud/machine-init.sh"'
)


class VirtualMachine(Host):
    """`region.emulated`: the directory with the image (`root.img`, `vmlinuz`, `initrd`) and `emulator`, a root with qemu."""

    def __init__(self, region, instance):
        super().__init__(region, instance)
        self.disk = f'{region.directory}/disks/{instance.id}'
        self.monitor, self.listener, self.plugged = None, None, []
        self.commands = threading.Lock()

    # --- Start

    def lay_cable(self):
        """Its namespace routes between the world and the machine, and is its router, DHCP server and metadata service."""
        super().lay_cable()
        address = self.instance.private_ip
        router = self.router
        gateway = json.loads(sh('ip', '-j', 'link', 'show', self.link))[0]['address']
        ip(
            f'addr delete {address}/32 dev eth0',
            # They go with the last address.
            f'route add {GATEWAY} dev eth0',
            f'route add default via {GATEWAY}',
            # Without an address of its own it cannot ask who that is.
            f'neigh replace {GATEWAY} lladdr {gateway} dev eth0 nud permanent',
            'tuntap add dev tap0 mode tap',
            f'addr add {router}/32 dev tap0',
            'link set tap0 up',
            f'route add {address}/32 dev tap0 src {router}',
            namespace=self.namespace,
        )
        settings = {'ip_forward': 1}
        for device in ('eth0', 'tap0'):
            settings.update({f'conf/{device}/proxy_arp': 1, f'neigh/{device}/proxy_delay': 0})
        lines = [f'echo {value} > /proc/sys/net/ipv4/{name}' for name, value in settings.items()]
        sh('ip', 'netns', 'exec', self.namespace, 'sh', '-ec', '\n'.join(lines))
        self.listener = in_namespace(self.namespace, lambda: dhcp.listen('tap0'))
        lease = (self.listener, address, str(self.subnet.netmask), router)
        threading.Thread(target=dhcp.serve, args=lease, daemon=True).start()

    @property
    def subnet(self):
        return ipaddress.ip_network(self.instance.nics[0].subnet.cidr_block)

    @property
    def router(self):
        return str(self.subnet[1])

    def wanted_rules(self):
        return security_groups.rules_of(self.instance, self.network, inside='tap0')

    def power_up(self):
        os.makedirs(self.directory)
        os.makedirs(self.disk, exist_ok=True)
        root = f'{self.disk}/root.qcow2'
        if not os.path.exists(root):
            base = f'{self.region.emulated}/root.img'
            self.emulator('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'raw', root).wait()
        hardware = self.hardware(root)
        if self.region.quick:
            hardware += self.seed_disk()
        self.process = self.emulator('qemu-system-x86_64', *hardware)
        self.pid = self.process.pid
        self.monitor = self.open_monitor()
        self.command('qmp_capabilities')
        for device, mapping in self.instance.block_device_mapping.items():
            if device != self.instance.root_device_name:
                volumes.attach(self, mapping.volume_id, device)
        self.command('cont')

    def seed_disk(self):
        """The files that process 1 has, on a disk. It is the only one that is not NVMe."""
        self.write_seed()
        seed, disk = f'{self.directory}/seed', f'{self.directory}/seed.tar'
        name = self.instance.private_dns_name.split('.')[0]
        with open(f'{seed}/network', 'w') as file:
            file.write(f'{name} {self.instance.private_ip}/{self.subnet.prefixlen} {self.router}\n')
        # Its other disks are there before it starts.
        open(f'{seed}/go', 'w').close()
        for script in ('init.sh', 'machine-init.sh'):
            shutil.copy(f'{HERE}/{script}', seed)
        sh('tar', '-cf', disk, '-C', seed, '.')
        return ['-drive', f'file={disk},format=raw,if=virtio,readonly=on', '-no-reboot']

    def emulator(self, *command):
        root = os.path.realpath(f'{self.region.emulated}/emulator')
        places = [root, self.region.directory, self.region.emulated]
        with open(f'{self.directory}/emulator.log', 'a') as log:
            return subprocess.Popen(
                ['ip', 'netns', 'exec', self.namespace, 'unshare', '-m', 'sh', f'{HERE}/in-emulator.sh']
                + [*places, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def hardware(self, root):
        # A machine of EC2's is known by a serial number that begins with ec2. (EC2 User Guide, "Identify EC2 instances")
        uuid = f'ec2e1916-9099-7caf-fd21-{self.instance.id[-12:]}'
        devices = [f'pcie-root-port,id=slot{it},chassis={it},slot={it}' for it in range(SLOTS)]
        devices += ['nvme,serial=vol0ffffffffffffffff,drive=root', 'virtio-rng-pci']
        devices += [f'virtio-net-pci,netdev=net,mac={self.instance.nics[0].mac_address},romfile=']
        return [
            *('-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'Westmere', '-smp', '2', '-m', str(MEBIBYTES)),
            *('-display', 'none', '-vga', 'none', '-S'),
            *('-kernel', f'{self.region.emulated}/vmlinuz', '-initrd', f'{self.region.emulated}/initrd'),
            *('-append', f'{KERNEL} {QUICK_INIT if self.region.quick else ""}'.strip()),
            *('-smbios', f'type=1,manufacturer=Amazon EC2,product=m5.large,serial={uuid},uuid={uuid}'),
            *('-drive', f'file={root},format=qcow2,if=none,id=root,cache=unsafe'),
            *('-netdev', 'tap,id=net,ifname=tap0,script=no,downscript=no'),
            *(word for device in devices for word in ('-device', device)),
            *('-serial', f'file:{self.directory}/console.log'),
            *('-qmp', f'unix:{self.directory}/monitor,server'),
        ]

    def open_monitor(self):
        """qemu waits for it."""
        monitor = socket.socket(socket.AF_UNIX)
        while self.process.poll() is None:
            try:
                monitor.connect(f'{self.directory}/monitor')
                stream = monitor.makefile('rw')
                stream.readline()
                return stream
            except OSError:
                time.sleep(0.05)
        with open(f'{self.directory}/emulator.log') as log:
            raise RuntimeError(f'{self.instance.id}: qemu has ended: {log.read()}')

    def command(self, name, **arguments):
        """A command of qemu's, by the QEMU Machine Protocol."""
        with self.commands:
            self.monitor.write(json.dumps({'execute': name, 'arguments': arguments}) + '\n')
            self.monitor.flush()
            for line in self.monitor:
                answer = json.loads(line)
                if 'error' in answer:
                    raise RuntimeError(f'{self.instance.id}: {name}: {answer["error"]["desc"]}')
                if 'return' in answer:
                    return
        raise RuntimeError(f'{self.instance.id}: {name}: qemu has ended')

    def wait(self):
        self.process.wait()

    def restart(self, when_down):
        raise RuntimeError('no image is made of a virtual machine here')

    # --- Volumes: NVMe with the volume's id as serial number. (EBS User Guide, "Amazon EBS volumes and NVMe")

    def plug(self, volume_id, _device):
        slot, serial = len(self.plugged), volume_id.replace('-', '')
        file = {'driver': 'file', 'filename': volumes.file_of(volume_id), 'locking': 'off'}
        self.command('blockdev-add', **{'node-name': f'disk{slot}', 'driver': 'raw', 'file': file})
        self.command('device_add', driver='nvme', id=f'nvme{slot}', serial=serial, drive=f'disk{slot}', bus=f'slot{slot}')
        self.plugged.append(volume_id)

    def unplug(self, volume_id):
        if self.process.poll() is None:
            self.command('device_del', id=f'nvme{self.plugged.index(volume_id)}')

    def resize(self, volume_id):
        raise RuntimeError(f'{volume_id}: the NVMe disks of qemu do not grow while they are in use')

    # --- End

    def take_down(self):
        if self.process is not None and self.process.poll() is None:
            try:
                if self.region.quick or self.instance.state in ('shutting-down', 'terminated') or self.monitor is None:
                    self.process.kill()
                else:
                    self.command('system_powerdown')
                self.process.wait(POWER_OFF_PATIENCE)
            except (subprocess.TimeoutExpired, RuntimeError):
                self.process.kill()
                self.process.wait()
        if self.listener is not None:
            self.listener.close()
        super().take_down()
